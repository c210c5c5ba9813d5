"""Back brings the explorers of a page as they were left, whichever way the reader went."""

import pytest

CHAPTER = "chapters/05-deriving-em.html"
LEFT = ("net::ERR_ABORTED",)  # what a page was still loading when it was left
GALLERY = "appendices/explorers.html"
PATHS_ALIVE = "document.querySelector('.explorer-host[data-kind=paths]')?.dataset.alive"
KEPT = ("iteration", "half", "theta", "log-likelihood", "bound")


def bound(page):
    """The numbers of the page's bound explorer, once it is alive."""
    page.wait_for_function(
        "document.querySelector('.explorer-host[data-kind=bound]')?.dataset.alive"
        " && document.readyState === 'complete'"
    )
    root = page.locator("[data-explorer=bound]")
    return [root.get_attribute(f"data-{name}") for name in KEPT]


def play(page):
    for name in ("E step", "M step", "E step"):
        page.locator("[data-explorer=bound]").get_by_role("button", name=name, exact=True).click()


def next_page(page):
    left = page.url.split("#")[0]
    page.locator("a.right-next, a.left-prev").first.click()
    page.wait_for_function(
        f"!location.href.includes({left!r}) && document.readyState === 'complete'"
    )


@pytest.mark.parametrize("place", ["http", "file"])
@pytest.mark.parametrize("way", ["link", "section first", "own link"])
def test_back_brings_what_was_left(open_page, site, site_url, place, way):
    address = site_url + CHAPTER if place == "http" else (site / CHAPTER).as_uri()
    page = open_page(address, allow=LEFT)
    first = bound(page)
    if way == "own link":  # the address then carries another state than the one that is left
        page.locator("[data-explorer=bound]").get_by_role("button", name="Copy link").click()
        page.wait_for_function("location.hash.length > 1")
    play(page)
    left = bound(page)
    assert left != first
    if way == "section first":
        page.evaluate("location.hash = 'derivation-chain'")
    next_page(page)
    page.go_back()
    assert bound(page) == left
    undo = page.locator("[data-explorer=bound]").get_by_role("button", name="Undo")
    undo.click()
    assert bound(page) == first


def test_a_new_visit_and_a_reload_begin_at_the_start(open_page, site_url):
    page = open_page(site_url + CHAPTER, allow=LEFT)
    first = bound(page)
    play(page)
    next_page(page)
    page.goto(site_url + CHAPTER)
    assert bound(page) == first
    play(page)
    page.reload()
    assert bound(page) == first


def test_an_explorer_that_was_not_alive_again_is_still_kept(open_page, site_url):
    page = open_page(site_url + GALLERY, allow=LEFT)
    bound(page)
    page.evaluate("explorerHost.rest()")
    page.wait_for_function(PATHS_ALIVE)
    paths = page.locator("[data-explorer=paths]")
    paths.get_by_role("button", name="To the end").click()
    left = paths.get_attribute("data-iteration")
    assert left != "0"
    for _ in range(2):  # the second time without having looked at it
        next_page(page)
        page.go_back()
    page.evaluate("explorerHost.rest()")
    page.wait_for_function(PATHS_ALIVE)
    assert paths.get_attribute("data-iteration") == left


def test_what_is_kept_does_not_grow_without_end(open_page, site_url):
    page = open_page(site_url + CHAPTER, allow=LEFT)
    bound(page)
    page.evaluate("for (let n = 0; n < 40; n += 1) sessionStorage.setItem(`explorers 1${n}`, '{}')")
    next_page(page)
    kept = page.evaluate("Object.keys(sessionStorage).filter((k) => k.startsWith('explorers'))")
    assert len(kept) == 20
