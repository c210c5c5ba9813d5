"""The frame of all explorers: joining modules, words, traits, links; a small explorer on top."""

import base64
import json
import re
import sys

import matplotlib
import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    center,
    data,
    drag,
    nothing_due,
    set_traits,
    status,
    touch_drag,
    trait,
    watch_timers,
)
from traitlets import Float, HasTraits, TraitError, default, validate

from gmm_lib import widgets
from gmm_lib.widgets import base
from gmm_lib.widgets.base import BundleError, Explorer, Numbers, bundle

matplotlib.use("agg")

DEMO = """
import { button, row, slider } from "./elements.js";
import { explorer } from "./explorer.js";
import { figure } from "./figure.js";
import { formatNumber, formatPercent, minus } from "./numbers.js";

function render({ model, el }) {
  const ex = explorer({ model, el, kind: "demo", traits: ["a", "b"], draw, valid });
  const plot = figure(ex, { label: ex.t("plot"), x: { label: "a" }, y: { label: "b" } });
  const knob = plot.handle({
    label: ex.t("knob"), text: "1", color: "var(--c1)", step: [0.01, 0.01],
    drag: (a, b, gesture) => ex.change({ a, b }, { gesture }),
  });
  const slide = slider({
    label: "a", min: 0, max: 1, step: 0.01, oninput: (a, gesture) => ex.change({ a }, { gesture }),
  });
  const type = ex.numberInput({ label: "b", min: 0, max: 1, onchange: (b) => ex.change({ b }) });
  const player = ex.player({
    interval: 30,
    step: (gesture) => {
      ex.change({ a: Math.min(1, ex.state.a + 0.25) }, { gesture, animate: true });
      return ex.state.a < 1;
    },
  });
  const half = button(ex.t("half"), () => ex.change({ a: 0.5 }));
  ex.controls.append(
    row(half, player.button, ex.undoButton(), ex.resetButton(), ex.linkButton()),
    row(slide, type),
  );
  function valid({ a, b }) {
    return a >= 0 && a <= 1 && b >= 0 && b <= 1 ? null : ex.t("outside");
  }
  function draw({ a, b }) {
    plot.line("diagonal", [0, a], [0, b], { class: "gmm-curve", stroke: "currentColor" });
    knob.place(a, b, { now: a, min: 0, max: 1 });
    slide.set(a);
    type.set(b);
    ex.data({ a, b });
    ex.tell(ex.t("status", { a: formatNumber(a), b: formatNumber(b) }));
  }
  window.formats = (x) => [formatNumber(x), formatPercent(Math.abs(x) % 1)];
  window.minus = minus;
  return ex.start();
}

export default { render };
"""

DEMO_WORDS = {
    "name": "A demonstration",
    "plot": "A plane",
    "knob": "Point",
    "half": "Half",
    "outside": "Outside the square.",
    "status": "a is {a} and b is {b}",
}


@pytest.fixture(scope="module")
def Demo(tmp_path_factory):
    """An explorer as a colleague would write one, in a folder with the real modules."""
    folder = tmp_path_factory.mktemp("demo")
    for shared in ("color", "elements", "explorer", "figure", "numbers"):
        (folder / f"{shared}.js").write_text((base.HERE / f"{shared}.js").read_text())
    (folder / "demo.js").write_text(DEMO)

    class Demo(Explorer):
        STATE = ("a", "b")
        _kind = "demo"
        _esm = bundle("demo.js", folder)
        _css = (base.HERE / "explorer.css").read_text()
        a = Float(0.25).tag(sync=True)
        b = Float(0.5).tag(sync=True)

        @default("words")
        def _demo_words(self):
            return {**base.load_words()["shared"], **DEMO_WORDS}

        @validate("a", "b")
        def _inside(self, proposal):
            if not 0 <= proposal["value"] <= 1:
                raise TraitError(f"expected a number from 0 to 1, got {proposal['value']}")
            return proposal["value"]

        def still(self):
            from matplotlib.figure import Figure

            figure = Figure()
            figure.subplots().plot([0, self.a], [0, self.b])
            return figure

        def describe(self):
            return self.say("status", a=base.format_number(self.a), b=base.format_number(self.b))

    return Demo


# -- joining modules


def joined(tmp_path, **modules):
    for name, text in modules.items():
        (tmp_path / f"{name}.js").write_text(text)
    return bundle("main.js", tmp_path)


END = "\nexport default { render };\n"


def test_modules_are_joined_once_each_dependencies_first(tmp_path):
    text = joined(
        tmp_path,
        a="// a comment\nexport const one = 1;\n",
        b='import { one } from "./a.js";\nexport function two() { return one + one; }\n',
        main='import { one } from "./a.js";\nimport {\n  two,\n} from "./b.js";\n'
        "const render = () => two() - one;" + END,
    )
    assert text.index("const one") < text.index("function two") < text.index("const render")
    assert text.count("const one") == 1
    assert "import" not in text
    assert "comment" not in text
    assert text.count("export") == 1


X = "export const x = 1;"


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"main": 'import x from "./a.js";' + END, "a": X}, "expected import"),
        ({"main": 'import * as x from "./a.js";' + END, "a": X}, "expected import"),
        ({"main": 'import { x } from "https://example.org/x.js";' + END}, "expected import"),
        ({"main": 'const x = () => import("./a.js");' + END, "a": X}, "expected import"),
        ({"main": 'import { x as y } from "./a.js";' + END, "a": X}, "plain names"),
        ({"main": 'import { y } from "./a.js";' + END, "a": X}, "exports no 'y'; it exports x"),
        ({"main": 'import { x } from "./b.js";' + END}, "no module 'b.js'"),
        (
            {"main": 'import { x } from "./a.js";\nconst z = 1;' + END, "a": X + "\nconst z = 2;"},
            "'z' is declared at the top level of both a.js and main.js",
        ),
        ({"main": "const { a, b } = c;" + END}, "destructuring"),
        ({"main": "const x = 1;\nexport { x };" + END}, "expected export function"),
        ({"main": "const render = 1;"}, "exactly one line"),
        (
            {
                "main": 'import { x } from "./a.js";' + END,
                "a": 'import { y } from "./b.js";\n' + X,
                "b": 'import { x } from "./a.js";\nexport const y = 1;',
            },
            "a.js -> b.js -> a.js",
        ),
    ],
)
def test_unsupported_modules_are_refused(tmp_path, modules, message):
    with pytest.raises(BundleError, match=message):
        joined(tmp_path, **modules)


# -- the registry and the words


def test_every_registered_explorer_is_whole():
    for kind in widgets.EXPLORERS:
        cls = widgets.explorer_class(kind)
        explorer = cls()
        assert explorer.kind == kind
        assert getattr(widgets, cls.__name__) is cls
        assert base.load_words()[kind]["name"]
        assert set(cls.STATE) <= set(explorer.get_state())
        assert explorer.describe().strip()
        json.dumps(explorer.state)
        assert cls.from_link(explorer.fragment).state == explorer.state


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="kind: expected one of em"):
        widgets.explorer_class("nothing")
    with pytest.raises(AttributeError):
        widgets.Nothing  # noqa: B018
    with pytest.raises(ValueError, match=r"table of words \(en\), got 'xx'"):
        base.load_words("xx")


@pytest.mark.parametrize(
    "value", [0, -33.7933, 1e-9, 123456.7, 0.1 + 0.2, 5.0, -1e-7, 9.9996, 1e21, 2.5e-6]
)
def test_numbers_read_the_same_in_python_and_in_the_browser(explorer_page, Demo, value):
    page = explorer_page(Demo())
    shown = page.evaluate("(value) => formats(value)", value)
    assert shown[0] == base.format_number(value)
    if 1e-6 < abs(value) < 1e9:
        assert float(shown[0]) == pytest.approx(value, rel=5e-4)
    elif value:
        assert re.fullmatch(r"-?\d(\.\d+)? × 10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", shown[0])
    assert shown[1] == base.format_percent(abs(value) % 1)


def test_hyphens_before_numbers_become_minus_signs_and_no_others(explorer_page, Demo):
    told = "-3 at (-1.5, -2): log-likelihood -60.72, k-means, 5-9, 1e-05, 1/(m-1), μ-2, ={-4}"
    meant = "−3 at (−1.5, −2): log-likelihood −60.72, k-means, 5-9, 1e-05, 1/(m-1), μ-2, ={−4}"
    assert base.minus(told) == meant
    assert explorer_page(Demo()).evaluate("(text) => minus(text)", told) == meant


# -- traits


def test_arrays_are_checked_and_kept_as_tuples():
    class Holder(HasTraits):
        x = Numbers((1, 2), "(m,) or (m, d)")

    holder = Holder()
    holder.x = np.array([[1, 2], [3, 4]])
    assert holder.x == ((1.0, 2.0), (3.0, 4.0))
    for wrong, message in [
        ("abc", "expected numbers of shape"),
        ([[1], [2, 3]], "expected numbers of shape"),
        ([1j], "expected numbers"),
        ([True], "expected numbers"),
        ([[[1]]], r"got shape \(1, 1, 1\)"),
        ([], "expected shape"),
        ([1, float("nan")], "expected finite numbers, got nan"),
    ]:
        with pytest.raises(TraitError, match=message):
            holder.x = wrong
    assert holder.x == ((1.0, 2.0), (3.0, 4.0))


def test_options_are_checked(Demo):
    with pytest.raises(TraitError, match="among a, anchor, b, language, got c"):
        Demo(c=1)
    with pytest.raises(TraitError, match="from 0 to 1"):
        Demo(a=2)
    with pytest.raises(TraitError):
        Demo().kind = "other"


def test_no_word_names_a_color_that_the_dark_page_changes():
    text = (base.HERE / "words.en.json").read_text(encoding="utf-8").lower()
    assert re.findall(r"\b(?:black|white|gr[ae]y|blue|orange|green)\b", text) == []


def test_outputs_hold_the_view_a_picture_and_words(Demo):
    data, _ = Demo()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == "a is 0.25 and b is 0.5"


# -- links, from Python


def test_a_link_carries_the_state(Demo):
    demo = Demo(a=1 / 3, b=1e-7)
    again = Demo.from_link("http://example.org/page.html" + demo.fragment)
    assert again.state == demo.state
    two = "http://example.org/#x=e30&" + Demo(anchor="second", a=0.75).fragment[1:]
    assert Demo.from_link(two, anchor="second").a == 0.75


# nothing, another explorer's state, no base64, no JSON, an unknown trait
BROKEN = ["", "http://example.org/#other=e30", "#demo=!!", "#demo=e3", "#demo=eyJ6IjoxfQ"]


@pytest.mark.parametrize("link", BROKEN)
def test_a_broken_link_is_refused(Demo, link):
    with pytest.raises(ValueError, match="expected"):
        Demo.from_link(link)


# -- the demonstration in a browser


def test_pointer_touch_keys_and_controls_move_the_state(explorer_page, Demo):
    page = explorer_page(Demo(), touch=True)
    knob = page.get_by_role("slider", name="Point")
    drag(page, knob, 100, 0)
    assert data(page, "a") > 0.3
    assert data(page, "b") == pytest.approx(0.5)
    before = data(page, "a")
    touch_drag(page, knob, 0, -40)
    assert data(page, "b") > 0.55
    assert data(page, "a") == pytest.approx(before)
    knob.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert data(page, "a") == pytest.approx(before + 0.01 - 0.1)
    page.get_by_role("button", name="Half").click()
    assert data(page, "a") == 0.5
    assert trait(page, "a") == 0.5
    assert status(page).startswith("a is 0.5 and b is")
    page.get_by_role("spinbutton", name="b").fill("0.125")
    page.keyboard.press("Enter")
    assert data(page, "b") == 0.125
    page.get_by_role("spinbutton", name="b").fill("7")
    page.keyboard.press("Enter")
    assert data(page, "b") == 0.125
    assert status(page) == "This field takes a number from 0 to 1."
    assert page.get_by_role("spinbutton", name="b").input_value() == "0.125"


def test_undo_takes_back_a_gesture_at_a_time(explorer_page, Demo):
    page = explorer_page(Demo())
    undo = page.get_by_role("button", name="Undo")
    assert undo.get_attribute("aria-disabled") == "true"
    drag(page, page.get_by_role("slider", name="Point"), 120, 30, steps=9)
    page.get_by_role("slider", name="a", exact=True).fill("0.9")
    assert data(page, "a") == 0.9
    undo.click()
    assert 0.25 < data(page, "a") < 0.9
    undo.click()
    assert (data(page, "a"), data(page, "b")) == (0.25, 0.5)
    assert undo.get_attribute("aria-disabled") == "true"
    undo.click(force=True)
    assert status(page) == "There is nothing to undo."


def test_play_runs_to_the_end_and_is_one_undo(explorer_page, Demo):
    page = explorer_page(Demo())
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('[data-explorer]').dataset.a === '1'")
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert data(page, "a") == 0.25
    watch_timers(page)
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Reset").click()
    assert data(page, "a") == 0.25
    nothing_due(page)
    assert data(page, "a") == 0.25


def test_the_state_travels_by_link(explorer_page, Demo):
    page = explorer_page(Demo(a=0.125))
    drag(page, page.get_by_role("slider", name="Point"), 77, 13)
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    there = explorer_page(Demo(), fragment=link[link.index("#") :])
    assert data(there, "a") == data(page, "a")
    assert data(there, "b") == data(page, "b")
    assert Demo.from_link(link).state == {"a": data(page, "a"), "b": data(page, "b")}
    there.evaluate("(hash) => { location.hash = hash; }", Demo(a=0.75).fragment)
    there.wait_for_function("document.querySelector('[data-explorer]').dataset.a === '0.75'")


@pytest.mark.parametrize("fragment", [*BROKEN[2:], "#demo=W10", "#demo=eyJhIjo5fQ"])
def test_a_broken_link_is_told_and_shows_the_start(explorer_page, Demo, fragment):
    page = explorer_page(Demo(), fragment=fragment)
    assert data(page, "a") == 0.25
    page.get_by_role("button", name="Close").click()
    assert page.get_by_role("button", name="Close").count() == 0


def test_python_moves_the_picture_and_other_views(explorer_page, Demo):
    page = explorer_page(Demo())
    set_traits(page, a=0.75, b=0.25)
    assert (data(page, "a"), data(page, "b")) == (0.75, 0.25)
    set_traits(page, a=7)
    assert data(page, "a") == 0.75
    assert status(page) == "Outside the square."
    page.evaluate("window.leave()")
    assert page.locator("[data-explorer]").count() == 0


def test_two_of_a_kind_on_a_page_have_links_of_their_own(explorer_page, Demo):
    page = explorer_page(Demo())
    page.evaluate(
        """async () => {
          const second = document.createElement("div");
          document.querySelector("main").append(second);
          module.default.render({ model, el: second });
        }"""
    )
    copies = page.get_by_role("button", name="Copy link")
    links = []
    for i in range(2):
        copies.nth(i).click()
        page.wait_for_function("(seen) => !['', ...seen].includes(location.hash)", arg=links)
        links.append(page.evaluate("location.hash"))
    assert [link.partition("=")[0] for link in links] == ["#demo", "#demo~2"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_is_accessible_and_fits(explorer_page, Demo, width, theme):
    page = explorer_page(Demo(), width=width, theme=theme)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("button:visible, select:visible, input:visible").all():
        assert control.bounding_box()["height"] >= 44
    x, y = center(page.get_by_role("slider", name="Point"))
    assert 0 < x < width
    assert y > 0


def test_a_picture_without_matplotlib_names_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'gmm-lib\[widgets\]'"):
        widgets.JensenExplorer().still_png()


@pytest.mark.parametrize("value", [np.ones(2), np.ones((2, 2)), [], {}, None, 3])
@pytest.mark.parametrize(
    ("explorer", "name"),
    [
        (widgets.BoundExplorer, "data"),
        (widgets.JensenExplorer, "curve"),
        (widgets.LikelihoodExplorer, "data"),
        (widgets.ShardsExplorer, "data"),
        (widgets.SoftHardExplorer, "data"),
    ],
)
def test_a_name_is_asked_for_whatever_comes(explorer, name, value):
    with pytest.raises(TraitError, match=f"{name}: expected one of '.*', got .*; choose one of"):
        explorer(value)


@pytest.mark.parametrize("values", [None, 3.0, np.array(2.0), [1.0, np.ma.masked], [[1], [2, 3]]])
def test_points_of_no_numbers_are_refused_in_words(values):
    with pytest.raises(TraitError, match=r"values: expected .*\(n,\), got"):
        widgets.JensenExplorer(values=values)
