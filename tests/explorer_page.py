"""A minimal page that hosts one explorer, for tests: the module, a model of five methods, no more.

    from explorer_page import data, drag, status

    def test_something(explorer_page):  # a fixture every test module has, through conftest.py
        page = explorer_page(EMExplorer(), width=360)
        page.get_by_role("button", name="E step").click()
        assert data(page, "half") == "e"

The real host, on the built site, is tested in test_site*.py.
"""

import json
import re
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import pytest

from gmm_lib.widgets import base

ORIGIN = "https://explorer.test"  # a secure context, for the clipboard; never reached

# The host's part of the contract: get, set, save_changes, on, off, with Backbone's order of events.
HOST = """
localStorage.clear(); // the page may have served another test
sessionStorage.clear();
const state = JSON.parse(document.getElementById("state").textContent);
const listeners = {};
let changed = {};
window.saved = [];
window.errors = [];
addEventListener("error", (event) => errors.push(String(event.error ?? event.message)));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
window.model = {
  get: (name) => state[name],
  set(name, value) {
    state[name] = value;
    changed[name] = value;
    for (const call of [...(listeners["change:" + name] ?? [])]) call(window.model, value);
  },
  save_changes() { saved.push(changed); changed = {}; },
  on(event, call) { (listeners[event] ??= []).push(call); },
  off(event, call) { listeners[event] = (listeners[event] ?? []).filter((each) => each !== call); },
};
const text = document.getElementById("esm").textContent;
// At one and the same address, so that a page need not compile it again for the next document.
const name = "\\n//# sourceURL=explorer.js";
window.module = await import("data:text/javascript," + encodeURIComponent(text + name));
const el = document.getElementById("host");
window.leave = await window.module.default.render({ model: window.model, el });
window.alive = true;
"""

# Its errors, once the explorer is there or has failed: in one call, and no frame is waited for.
SHOWN = """
() => new Promise((done, fail) => {
  const late = performance.now() + 5000;
  const look = () => {
    if (window.alive || window.errors?.length) done(window.errors);
    else if (performance.now() > late) fail(new Error("the explorer is not there after 5 s"));
    else setTimeout(look);
  };
  look();
})
"""

# An emptied document costs less than another one does. At its new address the explorer that comes
# next gets a document of its own even where its address differs by its fragment alone.
LEAVE = """
() => {
  window.leave();
  for (let id = setTimeout(() => {}); id > 0; id -= 1) clearTimeout(id);
  document.body.replaceChildren();
  history.replaceState(null, "", "/left");
}
"""


def traits(explorer):
    """Return the traits a page would carry for `explorer`, as the site's host gives them."""
    return {key: value for key, value in explorer.get_state().items() if not key.startswith("_")}


def page_text(explorer, theme=None):
    """Return the HTML of a page with `explorer` in it; `theme` sets html[data-theme]."""
    attribute = f' data-theme="{theme}"' if theme else ""
    state = json.dumps(traits(explorer)).replace("</", "<\\/")
    background, ink = ("#14181c", "#fff") if theme == "dark" else ("#fff", "#000")
    return (
        f'<!doctype html><html lang="en"{attribute}><head><meta charset="utf-8">'
        "<title>Explorer</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>body {{ margin: 8px; background: {background}; color: {ink}; }}</style>"
        f"<style>{explorer._css}</style></head><body>"
        f'<main><h1>Explorer</h1><div id="host"></div></main>'
        f'<script type="application/json" id="state">{state}</script>'
        f'<script type="text/plain" id="esm">{html_safe(explorer._esm)}</script>'
        f'<script type="module">{HOST}</script></body></html>'
    )


def html_safe(module):
    """Return a module text that an HTML script element can carry."""
    if re.search(r"</script|<!--", module):
        raise ValueError("expected a module without </script or <!-- in it; write them apart")
    return module


class Host:
    """A page that shows one explorer after another, each in a document of its own.

    To make a page takes three times as long as to load an explorer in it, so tests share pages.
    What could outlast a document is put back: storage, address, size, pointer, reports.
    """

    def __init__(self, chromium, *, touch, reduced, scale):
        context = chromium.new_context(
            has_touch=touch,
            reduced_motion="reduce" if reduced else "no-preference",
            device_scale_factor=scale,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.text, self.problems = "", []
        self.page = context.new_page()
        self.page.set_default_timeout(5000)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "console",
            lambda message: message.type == "error" and self.problems.append(message.text),
        )
        self.page.route(re.compile("^https?:"), self.answer)

    def answer(self, route):
        """Serve the explorer's document, and nothing else."""
        if route.request.url.split("#")[0] == f"{ORIGIN}/":
            route.fulfill(body=self.text, content_type="text/html; charset=utf-8")
        else:
            if not route.request.url.endswith("/favicon.ico"):
                self.problems.append(f"request to {route.request.url}")
            route.abort()

    def show(self, text, width, height, fragment):
        """Load the document `text` and wait until its explorer is alive; return the page."""
        self.text = text
        size = {"width": width, "height": height}
        if self.page.viewport_size != size:
            self.page.set_viewport_size(size)
        self.page.goto(f"{ORIGIN}/{fragment}")
        self.problems.extend(self.page.evaluate(SHOWN))
        assert not self.problems, self.problems
        return self.page

    def clear(self):
        """Leave nothing behind; return the problems that the document had."""
        self.page.evaluate(LEAVE)
        self.page.mouse.move(0, 0)  # the next document would begin with a hover
        problems, self.problems = self.problems, []
        return problems

    def close(self):
        self.page.context.close()


@pytest.fixture(scope="session")
def idle_hosts(chromium):
    """The hosts that no test has in use, by what they were made with."""
    hosts = {}
    yield hosts
    for host in (each for kind in hosts.values() for each in kind):
        host.close()


@contextmanager
def module_page(chromium, name):
    """A page in which what a script of the explorers exports is in reach, by its names."""
    page = chromium.new_page()
    page.set_content(f"<!doctype html><title>{name}</title>")
    page.evaluate(
        """async (text) => {
          const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
          Object.assign(window, await import(url));
        }""",
        (base.HERE / name).read_text(encoding="utf-8"),
    )
    yield page
    page.close()


@pytest.fixture
def explorer_page(chromium, idle_hosts, request):
    """A function that opens an explorer in a page of its own and fails the test on any page error.

    It takes the explorer and, by keyword, what is in the head of `open_page`.
    """
    used = []
    failed = request.session.testsfailed

    def open_page(
        explorer,
        *,
        width=1280,
        height=900,
        theme=None,
        touch=False,
        fragment="",
        reduced=True,
        scale=1,
    ):
        idle = idle_hosts.setdefault((touch, reduced, scale), [])
        host = idle.pop() if idle else Host(chromium, touch=touch, reduced=reduced, scale=scale)
        used.append((idle, host))
        return host.show(page_text(explorer, theme), width, height, fragment)

    yield open_page
    problems = []
    for idle, host in used:
        if request.session.testsfailed > failed:  # stopped anywhere, perhaps with a button down
            problems.extend(host.problems)
            host.close()
        else:
            problems.extend(host.clear())
            idle.append(host)
    assert not problems, problems


def root(page):
    """The explorer's root element."""
    return page.locator("[data-explorer]")


ROOT = """(() => {
  const found = document.querySelectorAll("[data-explorer]");
  if (found.length !== 1) throw new Error(`expected one explorer, got ${found.length}`);
  return found[0];
})()"""


def data(page, name):
    """Return the root's data-… value, as a number where it is one."""
    return parsed(page.evaluate(f"(name) => {ROOT}.getAttribute(name)", f"data-{name}"))


def told(page):
    """Return all the root's data-… values by name, in one call, as `data` returns each.

    One that there is not is None.
    """
    pairs = page.evaluate(f"[...{ROOT}.attributes].map((each) => [each.name, each.value])")
    values = {name[5:]: parsed(value) for name, value in pairs if name.startswith("data-")}
    return defaultdict(lambda: None, values)


def parsed(value):
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def status(page):
    """Return what the live text says."""
    said = page.evaluate(
        "[...document.querySelectorAll('[role=status]')].map((each) => each.innerText)"
    )
    assert len(said) == 1, said
    return said[0]


def shown(page):
    """Return the text of the explorer that is to be seen."""
    return page.evaluate(f"{ROOT}.innerText")


def send_click(page, name):
    """Click a button that is there, with no pointer: a tenth of the work of a click.

    For long walks over buttons that other tests, or the first step, press as a reader does.
    """
    page.get_by_role("button", name=name, exact=True).dispatch_event("click")


def texts(locator, count):
    """Return the texts of what `locator` finds, once there are `count` of them, no more.

    A part that was opened is filled when the browser tells so, a moment after the click.
    """
    locator.nth(count - 1).wait_for()
    found = locator.all_inner_texts()
    assert len(found) == count
    return found


def trait(page, name):
    """Return a trait as the page's model holds it."""
    return page.evaluate("(name) => model.get(name)", name)


def traits_of(page, names):
    """Return the traits `names` by name, in one call, as `trait` returns each."""
    values = page.evaluate("(names) => names.map(model.get)", list(names))
    return dict(zip(names, values, strict=True))


def set_traits(page, **values):
    """Set traits in the page's model at once, as a message from Python does."""
    page.evaluate(
        "(values) => Object.entries(values).forEach((pair) => model.set(...pair))", values
    )
    page.evaluate("() => new Promise((done) => setTimeout(done))")


def watch_timers(page):
    """Keep count from here on of what the page has put off; see `nothing_due`."""
    page.evaluate(
        """() => {
          const { setTimeout: set, clearTimeout: clear } = window;
          const due = (window.due = new Set());
          window.setTimeout = (call, ...rest) => {
            const id = set(() => { due.delete(id); call(); }, ...rest);
            due.add(id);
            return id;
          };
          window.clearTimeout = (id) => { due.delete(id); clear(id); };
        }"""
    )


def nothing_due(page):
    """Wait until nothing is put off any more: what moves by itself has come to rest."""
    page.wait_for_function("window.due.size === 0", timeout=20_000)


def center(locator):
    """Return the page coordinates of the middle of what `locator` finds."""
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, locator, dx, dy, steps=5):
    """Drag the middle of `locator` by (dx, dy) px with the mouse."""
    x, y = center(locator)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=steps)
    page.mouse.up()


def touch_drag(page, locator, dx, dy, steps=5):
    """Drag the middle of `locator` by (dx, dy) px with a finger."""
    x, y = center(locator)
    session = page.context.new_cdp_session(page)

    def send(kind, points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", [{"x": x, "y": y}])
    for step in range(1, steps + 1):
        send("touchMove", [{"x": x + dx * step / steps, "y": y + dy * step / steps}])
    send("touchEnd", [])
    session.detach()


def screenshot(page, path):
    """Save a picture of the explorer."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    root(page).screenshot(path=str(path))


def run_axe(page, context=None, **options):
    """Return the violations that axe finds in `context` (the whole page), as axe tells them.

    Only they are described and sent here: for all that holds it takes three times as long. Without
    "preload" axe does not fetch style sheets again, from addresses that are not theirs.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(
        "([context, options]) =>"
        " axe.run(context ?? document, options).then((found) => found.violations)",
        [context, {"resultTypes": ["violations"], "preload": False, **options}],
    )


def axe_violations(page):
    """Return what axe finds wrong, as text, one line a rule."""
    return [
        f"{each['id']}: {each['help']} {[node['html'] for node in each['nodes']][:3]}"
        for each in run_axe(page)
    ]


def crossed_names(page):
    """Return the names in pictures that a curve runs through, with the curve's color."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".gmm-front:has(.gmm-name)")].flatMap((svg) => {
          const names = [...svg.querySelectorAll(".gmm-name")];
          const boxes = names.map((name) => name.getBoundingClientRect());
          const crossed = new Set();
          for (const curve of svg.querySelectorAll("path[fill=none], polygon")) {
            const [at, length] = [curve.getScreenCTM(), curve.getTotalLength()];
            for (let s = 0; s < length; s += 1) {
              const { x, y } = curve.getPointAtLength(s).matrixTransform(at);
              boxes.forEach((box, n) => {
                const across = x > box.left && x < box.right;
                if (across && y > box.top + 2 && y < box.bottom - 2) {
                  crossed.add(`${names[n].textContent}: ${curve.getAttribute("stroke")}`);
                }
              });
            }
          }
          return [...crossed];
        })"""
    )
