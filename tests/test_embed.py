"""Pages with a single explorer, and the links of plans and course page that open their states."""

import re

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT

import embed
from gmm_lib.widgets import EXPLORERS, explorer_class

PAGES = ("appendices/teaching", "appendices/course")
HOST = ".explorer-host"
WIDTH = 740  # as the course page says


def links(site, name):
    """Return the addresses, from the folder of the site, of explorers that a page opens."""
    page = BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")
    found = [a["href"] for a in page.select("article a[href*='embed/']")]
    return [each.removeprefix("../") for each in dict.fromkeys(found)]


def alive(page):
    page.wait_for_selector(f"{HOST}[data-alive], .explorer-error", state="attached")
    assert page.locator(".explorer-error").count() == 0
    return page


def state_on(page, kind):
    """Return the state of the page's explorer, by trait."""
    return page.evaluate(
        """(names) => {
          const model = document.querySelector(".explorer-host").explorerModel;
          return Object.fromEntries(names.map((name) => [name, model.get(name)]));
        }""",
        list(explorer_class(kind).STATE),
    )


def as_lists(value):
    if isinstance(value, dict):
        return {key: as_lists(each) for key, each in value.items()}
    return [as_lists(each) for each in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    "call",
    [
        "em()",
        'em(iteration=3, half="e", selected=4)',
        "labels(labels=[1,1,1,1,1,2,2,2,2,2])",
        'break-it(scenario="far")',
    ],
)
def test_a_call_names_a_state(call):
    explorer = embed.explorer_of(call)
    address = embed.address_of(call)
    assert address.startswith(f"embed/{explorer.kind}.html#{explorer.kind}=")
    assert type(explorer).from_link(address).state == explorer.state


@pytest.mark.parametrize(
    "call",
    [
        "em",
        "cm()",
        "em(3)",
        "em(iteration=t)",
        "em(iteration=-1)",
        "em(speed=2)",
        "em(__import__())",
    ],
)
def test_what_is_no_state_is_refused(call):
    with pytest.raises(Exception, match=r"expected"):
        embed.explorer_of(call)


def test_every_explorer_has_a_page_of_its_own_and_a_link_to_it(site):
    made = {path.stem for path in (site / "embed").glob("*.html")}
    assert made == set(EXPLORERS)
    linked = {re.match(r"embed/([\w-]+)\.html#", each)[1] for each in links(site, PAGES[1])}
    assert linked == set(EXPLORERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_each_link_opens_the_state_it_promises(name, site, site_url, open_page):
    found = links(site, name)
    assert len(found) >= len(EXPLORERS)
    page = open_page()
    for address in found:
        page.goto("about:blank")
        alive(page.goto(site_url + address) and page)
        kind = re.match(r"embed/([\w-]+)\.html", address)[1]
        promised = explorer_class(kind).from_link(address)
        # A link leaves out what a named data set brings along.
        shown = {key: value for key, value in state_on(page, kind).items() if key in promised.state}
        assert as_lists(shown) == as_lists(promised.state), address
        assert page.locator(".gmm-warning:visible").count() == 0, address
        assert page.get_by_role("status").first.inner_text().strip()


@pytest.mark.slow
def test_every_page_works_from_a_folder_and_asks_for_nothing_else(site, open_page):
    page, asked = open_page(width=WIDTH), []
    page.on("request", lambda request: asked.append(request.url))
    height = int(re.search(r'height="(\d+)"', (ROOT / "appendices/course.md").read_text())[1])
    for kind in EXPLORERS:
        alive(page.goto((site / "embed" / f"{kind}.html").as_uri()) and page)
        assert page.title().endswith("Gaussian mixtures and EM")
        assert page.evaluate("document.documentElement.scrollHeight") <= height, kind
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, kind
    outside = [each for each in asked if not each.startswith((site.as_uri(), "blob:", "data:"))]
    assert outside == []


@pytest.mark.slow
@pytest.mark.parametrize("door", ["server", "folder"])
def test_a_frame_on_another_page_shows_a_state_and_answers(
    door, site, site_url, open_page, tmp_path
):
    base = site_url if door == "server" else f"{site.as_uri()}/"
    source = base + embed.address_of('em(half="e", selected=4)')
    other = tmp_path / "course.html"
    other.write_text(f'<h1>Course</h1><iframe title="EM" width="720" height="900" src="{source}">')
    page = open_page(other.as_uri())
    frame = page.frame_locator("iframe")
    status = frame.get_by_role("status").first
    status.wait_for()
    assert "14%" in status.inner_text()
    frame.get_by_role("button", name="M step", exact=True).click()
    assert "3.926" in status.inner_text()


def test_p_fills_the_screen_and_a_remote_steps(site_url, open_page):
    page = alive(open_page(f"{site_url}embed/em.html"))
    page.keyboard.press("p")
    assert page.locator("[data-projector]").count() == 1
    before = page.get_by_role("status").first.inner_text()
    page.keyboard.press("PageDown")
    assert page.get_by_role("status").first.inner_text() != before


def test_without_scripts_a_page_shows_the_picture(site_url, open_page):
    page = open_page(f"{site_url}embed/jensen.html", scripts=False, allow=[" csp"])
    picture = page.locator(".explorer-still img")
    assert picture.is_visible()
    assert picture.evaluate("(image) => image.naturalWidth") > 300
    assert len(picture.get_attribute("alt")) > 20
