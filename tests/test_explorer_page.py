"""The page that tests share: a test finds nothing of what another did in it."""

from explorer_page import Host, data, drag, nothing_due, page_text, watch_timers

from gmm_lib.widgets import EMExplorer

FOUND = """() => ({
  address: location.href,
  storage: localStorage.length + sessionStorage.length,
  mark: "mark" in window,
  theme: document.documentElement.dataset.theme ?? "none",
  focus: document.activeElement === document.body,
  width: innerWidth,
  hover: document.querySelectorAll("#host :hover").length,
  timers: String(setTimeout),
})"""


def test_a_shared_page_is_as_good_as_new(chromium):
    host = Host(chromium, touch=False, reduced=True, scale=1)
    page = host.show(page_text(EMExplorer()), 1280, 900, "")
    new = page.evaluate(FOUND)
    page.evaluate(
        """() => {
          localStorage.mark = sessionStorage.mark = window.mark = "left";
          document.documentElement.dataset.theme = "dark";
          location.hash = "left";
          console.error("left");
        }"""
    )
    watch_timers(page)
    page.set_viewport_size({"width": 500, "height": 400})
    drag(page, page.get_by_role("slider", name="Mean of component 1"), 20, 0)
    page.get_by_role("button", name="Step", exact=True).click()
    nothing_due(page)
    left = page.evaluate(FOUND)
    assert [name for name in new if left[name] == new[name]] == []

    assert host.clear() == ["left"]
    assert host.show(page_text(EMExplorer()), 1280, 900, "") is page
    assert page.evaluate(FOUND) == new
    assert data(page, "iteration") == 0
    assert host.clear() == []
    host.close()


def test_a_page_in_use_is_nobody_elses(explorer_page):
    first, second = explorer_page(EMExplorer()), explorer_page(EMExplorer(iteration=3))
    assert first is not second
    assert (data(first, "iteration"), data(second, "iteration")) == (0, 3)


def test_pages_are_shared_by_what_they_were_made_with(explorer_page):
    fingers = "navigator.maxTouchPoints"
    assert explorer_page(EMExplorer(), touch=True).evaluate(fingers) > 0
    assert explorer_page(EMExplorer()).evaluate(fingers) == 0
