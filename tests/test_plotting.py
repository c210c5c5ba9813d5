"""Drawing functions: what they add to the axes, and that anybody can read it."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gmm_lib import GaussianMixture, datasets, e_step, fit, plotting

TEN = datasets.ten_points()
PLANE = datasets.overlapping()


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def luminance(color):
    """Relative luminance by WCAG 2.1."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_points_on_a_line_stand_on_the_axis(ax):
    (artist,) = plotting.draw_points(TEN.X[:, 0], ax=ax)
    np.testing.assert_array_equal(artist.get_offsets(), np.c_[TEN.X, np.zeros(10)])
    assert ax.get_xlabel() == "$x$"


def test_points_in_the_plane_have_a_color_and_a_marker_for_each_group(ax):
    artists = plotting.draw_points(PLANE.X, PLANE.labels, ax=ax)
    for j, artist in enumerate(artists):
        np.testing.assert_array_equal(artist.get_offsets(), PLANE.X[PLANE.labels == j])
        np.testing.assert_allclose(artist.get_facecolor()[0, :3], to_rgb(plotting.COLORS[j]))
    shapes = {artist.get_paths()[0].vertices.tobytes() for artist in artists}
    assert len(shapes) == 3
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x_1$", "$x_2$")


def test_groups_without_points_are_left_out(ax):
    artists = plotting.draw_points([1, 2, 3], [0, 2, 2], ax=ax)
    assert [len(artist.get_offsets()) for artist in artists] == [1, 2]
    np.testing.assert_allclose(artists[1].get_facecolor()[0, :3], to_rgb(plotting.COLORS[2]))


def test_responsibilities_mix_the_colors(ax):
    w = np.array([[1, 0], [0, 1], [0.5, 0.5], [0.25, 0.75]])
    blue, red = (np.array(to_rgb(color)) for color in plotting.COLORS[:2])
    colors = plotting.responsibility_colors(w)
    np.testing.assert_allclose(colors[:2], [blue, red], atol=1e-6)
    # What the explorers show of the same shares (oklabToRgb in color.js), in steps of 1/255.
    explorers = [[137, 115, 118], [176, 108, 81]]
    np.testing.assert_array_equal(np.round(255 * colors[2:]), explorers)
    artists = plotting.draw_responsibilities([1, 2, 3, 4], w, ax=ax)
    np.testing.assert_array_equal(artists[0].get_offsets()[:, 0], [1, 3])
    np.testing.assert_allclose(artists[0].get_facecolor()[:, :3], colors[[0, 2]])
    np.testing.assert_allclose(artists[1].get_facecolor()[:, :3], colors[[1, 3]])


def test_more_than_six_components_still_have_colors(ax):
    w = np.eye(8)
    assert plotting.component_color(7) == plotting.COLORS[1]
    assert len(plotting.draw_responsibilities(np.arange(8.0), w, ax=ax)) == 8


def test_the_density_is_the_sum_of_its_components(ax):
    lines = plotting.draw_density(TEN.start, ax=ax)
    x, total = lines[0].get_data()
    np.testing.assert_allclose(total, sum(line.get_ydata() for line in lines[1:]))
    np.testing.assert_allclose(total, np.exp(TEN.start.log_density(x)))
    assert np.trapezoid(total, x) == pytest.approx(1, abs=1e-3)
    styles = {line.get_linestyle() for line in lines}
    assert len(styles) == 3
    assert len(plotting.draw_density(TEN.start, ax=ax, components=False)) == 1


def test_a_narrow_component_keeps_its_peak_beside_a_wide_one(ax):
    spike = GaussianMixture([0.1, 0.9], [9, 15], [1e-6, 90])
    x, total = plotting.draw_density(spike, ax=ax)[0].get_data()
    assert total.max() == pytest.approx(np.exp(spike.log_density([9.0]))[0], rel=1e-12)
    assert np.trapezoid(total, x) == pytest.approx(1, abs=2e-3)


def test_the_density_where_asked(ax):
    x, _ = plotting.draw_density(TEN.start, ax=ax, x=[0, 1, 2])[0].get_data()
    np.testing.assert_array_equal(x, [0, 1, 2])


def test_ellipses_lie_at_their_mahalanobis_distance(ax):
    mixture = fit(PLANE.X, PLANE.start).mixture
    ellipses = plotting.draw_ellipses(mixture, ax=ax, n_std=(1, 2))
    assert len(ellipses) == 6
    angles = np.linspace(0, 2 * np.pi, 9)
    circle = np.c_[np.cos(angles), np.sin(angles)]
    for place, ellipse in enumerate(ellipses):
        j, r = place // 2, 1 + place % 2
        to_data = ellipse.get_patch_transform()
        difference = to_data.transform(circle) - mixture.means[j]
        squared = np.einsum(
            "ia,ab,ib->i", difference, np.linalg.inv(mixture.covariances[j]), difference
        )
        np.testing.assert_allclose(np.sqrt(squared), r, rtol=1e-10)
    assert len(ax.lines) == 3
    assert len(plotting.draw_ellipses(mixture, ax=ax, means=False, n_std=2)) == 3
    assert len(ax.lines) == 3


@pytest.mark.parametrize("data", [TEN, PLANE], ids=lambda data: data.name)
def test_a_state_has_points_and_mixture(data, ax):
    gray, shapes = plotting.draw_state(data.X, data.start, ax=ax)
    assert len(gray) == 1
    assert len(shapes) == {1: 3, 2: 6}[data.d]
    w, _ = e_step(data.X, data.start)
    colored, _ = plotting.draw_state(data.X, data.start, w, ax=ax)
    assert sum(len(artist.get_offsets()) for artist in colored) == data.m


def test_the_log_likelihood_is_drawn_against_whole_numbers(ax):
    line = plotting.draw_log_likelihood([-60.7, -34.5, -34.2], ax=ax)
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
    np.testing.assert_array_equal(line.get_ydata(), [-60.7, -34.5, -34.2])
    ticks = ax.get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_heights_are_stems(ax):
    stems = plotting.draw_heights([1, 2], [0.1, 0.2], ax=ax)
    np.testing.assert_allclose(stems.get_segments(), [[[1, 0], [1, 0.1]], [[2, 0], [2, 0.2]]])


def saddle(x, y):
    return x**2 - 3 * y


def test_a_grid_has_a_row_for_each_y():
    grid = plotting.evaluate_grid(saddle, [0, 1, 2], [0, 10])
    np.testing.assert_array_equal(grid, [[0, 1, 4], [-30, -29, -26]])


def test_contours_lie_at_their_height(ax):
    sides = np.linspace(-2, 2, 81)
    contours = plotting.draw_contour(saddle, sides[:, None], sides, ax=ax, levels=[-1.0, 2.0])
    np.testing.assert_array_equal(contours.levels, [-1, 2])
    for level, segments in zip(contours.levels, contours.allsegs, strict=True):
        for x, y in np.concatenate(segments):
            assert saddle(x, y) == pytest.approx(level, abs=5e-3)


def test_contours_leave_out_what_is_not_finite(ax):
    def with_a_hole(x, y):
        return np.nan if x < 0 else -np.inf if y < 0 else x + y

    sides = np.linspace(-1, 1, 21)
    contours = plotting.draw_contour(with_a_hole, sides, sides, ax=ax, levels=[0.5])
    points = np.concatenate(contours.allsegs[0])
    assert len(points) > 2
    assert points.min() >= 0


def test_a_surface_in_space():
    figure = plt.figure()
    space = figure.add_subplot(projection="3d")
    surface = plotting.draw_surface(saddle, [0, 1, 2], [0, 1], ax=space)
    assert surface.axes is space
    own = plotting.draw_surface(saddle, [0, 1], [0, 1])
    assert own.axes is not space
    plt.close("all")


def test_a_path_ends_where_it_ends(ax):
    way, end = plotting.draw_path([[3, 10], [4, 15], [5, 24]], ax=ax)
    np.testing.assert_array_equal(np.transpose(way.get_data()), [[3, 10], [4, 15], [5, 24]])
    np.testing.assert_array_equal(np.ravel(end.get_data()), [5, 24])


def test_without_axes_the_current_ones_are_used(ax):
    plt.sca(ax)
    plotting.draw_points(TEN.X)
    assert len(ax.collections) == 1


def test_axes_without_pyplot_do():
    axes = Figure().add_subplot()
    plotting.draw_state(TEN.X, TEN.start, ax=axes)
    axes.figure.canvas.draw()


DRAWINGS = [
    lambda ax: plotting.draw_points(TEN.X, TEN.labels, ax=ax),
    lambda ax: plotting.draw_state(TEN.X, TEN.start, e_step(TEN.X, TEN.start)[0], ax=ax),
    lambda ax: plotting.draw_state(PLANE.X, PLANE.start, ax=ax),
    lambda ax: plotting.draw_log_likelihood([-3, -2], ax=ax),
    lambda ax: plotting.draw_contour(saddle, [0, 1, 2], [0, 1, 2], ax=ax),
    lambda ax: plotting.draw_path([[0, 0], [1, 1]], ax=ax),
    lambda ax: plotting.draw_heights([1], [1], ax=ax),
]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_no_words_are_drawn(draw, ax):
    draw(ax)
    ax.figure.canvas.draw()
    for text in ax.findobj(matplotlib.text.Text):
        words = text.get_text().replace("\N{MINUS SIGN}", "").replace(".", "")
        assert words == "" or words.isdigit() or words.startswith("$"), text


def test_colors_are_legible_on_white():
    # WCAG 1.4.11 asks 3:1 of graphics; the first three have it; pink, orange and sky blue
    # fall short, so every component has a marker or a line style of its own too.
    contrast = [1.05 / (luminance(color) + 0.05) for color in plotting.COLORS]
    assert min(contrast[:3]) > 3
    assert min(contrast) > 2
    steps = plotting.HEIGHTS(np.linspace(0, 1, 20))[:, :3]
    assert min(1.05 / (luminance(color) + 0.05) for color in steps) > 3
    assert 1.05 / (luminance(plotting.UNLABELLED) + 0.05) > 4.5


# What a reader without red (protan), green (deutan) or blue (tritan) cones sees, in linear RGB:
# Machado, Oliveira and Fernandes (2009), A physiologically-based model for simulation of color
# vision deficiency, table 1, severity 1.0.
DEFICIENCIES = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colors_differ_for_color_blind_readers(deficiency):
    seen = np.array([to_rgb(color) for color in plotting.COLORS])
    linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    simulated = np.clip(linear @ np.transpose(DEFICIENCIES[deficiency]), 0, 1)
    srgb = np.where(
        simulated <= 0.0031308, 12.92 * simulated, 1.055 * simulated ** (1 / 2.4) - 0.055
    )
    for i in range(6):
        for j in range(i):
            assert np.linalg.norm(srgb[i] - srgb[j]) > 0.1, (i, j)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: plotting.draw_points(np.ones((3, 3))), ValueError, "X: expected one or two feat"),
        (lambda: plotting.draw_points([np.nan]), ValueError, "X: expected finite"),
        (lambda: plotting.draw_points([1, 2], [0]), ValueError, r"labels: expected shape \(2,\)"),
        (lambda: plotting.draw_points([1, 2], size=0), ValueError, "size: expected a number"),
        (
            lambda: plotting.draw_responsibilities([1, 2], [[1, 1], [0, 1]]),
            ValueError,
            "responsibilities: expected rows that sum to 1",
        ),
        (lambda: plotting.draw_density(PLANE.start), ValueError, "mixture: expected 1 feature, go"),
        (lambda: plotting.draw_density("bell"), TypeError, "mixture: expected a GaussianMixture"),
        (lambda: plotting.draw_density(TEN.start, x=[np.inf]), ValueError, "x: expected finite"),
        (lambda: plotting.draw_ellipses(TEN.start), ValueError, "mixture: expected 2 features"),
        (lambda: plotting.draw_ellipses(PLANE.start, n_std=[0]), ValueError, "n_std: expected a n"),
        (lambda: plotting.draw_ellipses(PLANE.start, n_std=None), TypeError, "n_std: expected rea"),
        (lambda: plotting.component_color(0.5), TypeError, "j: expected a whole number, got 0.5"),
        (lambda: plotting.evaluate_grid(3, [1], [2]), TypeError, "f: expected a function, got int"),
        (
            lambda: plotting.draw_path([[1, 2]], ax=Figure().subplots(1, 2)),
            TypeError,
            r"ax: expected matplotlib Axes, got ndarray; pass one, .*axes\[0\]",
        ),
        (lambda: plotting.draw_state(PLANE.X, TEN.start), ValueError, "X: expected 1 feature"),
        (
            lambda: plotting.draw_state(TEN.X, TEN.start, np.ones((10, 1))),
            ValueError,
            r"responsibilities: expected shape \(10, 2\)",
        ),
        (lambda: plotting.draw_log_likelihood([]), ValueError, "log_likelihoods: expected at lea"),
        (lambda: plotting.draw_heights([1, 2], [1]), ValueError, "heights: expected 2 numbers"),
        (lambda: plotting.draw_contour(saddle, [0], [0, 1]), ValueError, "xs: expected at least 2"),
        (lambda: plotting.draw_contour(saddle, [0, 1], [1, 0]), ValueError, "ys: expected rising"),
        (
            lambda: plotting.draw_surface(saddle, [0, 1], [0, 1], ax=Figure().add_subplot()),
            TypeError,
            "ax: expected three-dimensional axes",
        ),
        (lambda: plotting.draw_path([[1, 2, 3]]), ValueError, "path: expected 2 features"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    plt.close("all")
