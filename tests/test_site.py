"""The built book in a real browser: from a server and a folder, wide and narrow, light and dark."""

import gc
import json
import re
from collections import Counter
from functools import cache

import pytest
import yaml
from conftest import ROOT
from explorer_page import run_axe

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [entry["file"] for part in TOC["parts"] for entry in part["chapters"]]
PAGES = [f"{name}.html" for name in [TOC["root"], *CHAPTERS]]
# One page of each kind: the first, a chapter, tables, the explorers, the library.
KINDS = {f"{name}.html" for name in (TOC["root"], CHAPTERS[0], "appendices/notation",
         "appendices/explorers", "appendices/library")}  # fmt: skip
NOTEBOOKS = [name for name in CHAPTERS if (ROOT / f"{name}.ipynb").exists()]


@cache
def parsed(path):
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    gc.freeze()  # it stays; the collector would walk through all of it, again and again
    return soup


@cache
def names_in(path):
    """What a link into the page may name: an element, or the kind of an explorer."""
    page = parsed(path)
    kinds = {host["data-kind"] for host in page.select(".explorer-host")}
    return kinds | {element["id"] for element in page.select("[id]")}


every_page = pytest.mark.parametrize("name", PAGES)


def settle(page):
    """Wait until the theme's scripts are there and every explorer is alive or has said why not."""
    page.wait_for_function(
        """() => document.documentElement.dataset.set
          && [...document.querySelectorAll(".explorer-host")].every(
            (host) => host.dataset.alive || host.querySelector(".explorer-error"))"""
    )


def explorers_alive(page):
    """How many hosts the page has; each must hold a live explorer, and the live one alone shows."""
    hosts = page.locator(".explorer-host")
    for index in range(hosts.count()):
        host = hosts.nth(index)
        root = host.locator("[data-explorer]")
        assert root.count() == 1, host.inner_text()
        assert root.get_attribute("data-explorer") == host.get_attribute("data-kind")
        assert root.get_attribute("aria-label") or root.get_attribute("aria-labelledby")
        assert host.get_by_role("status").first.inner_text().strip()
        assert not host.locator(".explorer-still").is_visible()
    return hosts.count()


def overflow(page):
    """By how many pixels the page is wider than the window, and what sticks out."""
    return page.evaluate(
        """() => {
          const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
          const limit = document.documentElement.clientWidth + 1;
          const guilty = wide <= 0 ? [] : [...document.querySelectorAll(".bd-article *")]
            .filter((element) => element.getBoundingClientRect().right > limit)
            .map((element) => element.outerHTML.slice(0, 120));
          return wide > 0 ? [`${wide}px`, ...guilty.slice(0, 3)] : [];
        }"""
    )


def serious_violations(page, name, whole=True, contrast=True):
    """What axe calls serious or critical, one line a rule.

    Listings and formulas are most of the elements, made by the same two programs on every page:
    they are looked at in the first chapter. Elsewhere they are left out and emptied, which makes
    axe three times faster; so this comes last. And contrast is looked at in every text of the
    first chapter, elsewhere by `pale_text`. What is not looked at as a whole differs from a page
    of its kind in the article; explorers in it have tests of their own, and how a link in a text
    is told from it, which takes axe long, is the style sheet's for all kinds.
    """
    left_out = [] if name.startswith(CHAPTERS[0]) else [".highlight", "math"]
    for kind in left_out:
        page.locator(kind).evaluate_all("(all) => all.forEach((each) => each.replaceChildren())")
    part, rules = {}, {"color-contrast": {"enabled": contrast}}
    if not whole:
        left_out.append(".explorer-host")
        part = {"include": [["article"]]}
        rules["link-in-text-block"] = {"enabled": False}
    exclude = [[kind] for kind in left_out]
    return serious(run_axe(page, {**part, "exclude": exclude}, rules=rules))


def serious(violations):
    """Those that are serious or critical, one line a rule."""
    return [
        f"{each['id']}: {each['help']} {[node['html'][:150] for node in each['nodes']][:3]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]


LOOKS = set()  # what `pale_text` found well, on any page


def pale_text(page):
    """What axe says of contrast, of one element of each look that no page had before.

    A look is all that contrast depends on: the color, size and weight of the text, and whatever
    colors, pictures and opacities lie behind it. Thousands of texts have a few dozen looks.
    """
    looks = page.evaluate(
        """(known) => {
          const behind = new Map([[null, ""]]);
          const seen = new Set();
          for (const each of document.querySelectorAll("body, body *")) {
            const css = getComputedStyle(each);
            const layer = [css.backgroundColor, css.backgroundImage, css.opacity].join();
            const below = (behind.get(each.parentElement) ?? "");
            behind.set(each, below.endsWith(layer) ? below : below + layer);
            const texts = [...each.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
            if (!texts.some((text) => text.data.trim()) || !each.checkVisibility()) continue;
            const look = [css.color, css.fontSize, css.fontWeight, behind.get(each)].join();
            each.toggleAttribute("data-look", !seen.has(look) && !known.includes(look));
            seen.add(look);
          }
          return [...seen];
        }""",
        sorted(LOOKS),
    )
    assert len(looks) > 5
    if LOOKS.issuperset(looks):
        return []
    found = serious(run_axe(page, {"include": [["[data-look]"]]}, runOnly=["color-contrast"]))
    if not found:
        LOOKS.update(looks)
    return found


def shifts(page):
    """By how many pixels the height of an explorer differs from that of its still picture's room.

    The room was measured with the fonts of one system: a line of text is the tolerance.
    """
    moved = page.evaluate(
        """async () => {
          for (let i = 0; i < 4; i += 1) await new Promise(requestAnimationFrame);
          return [...document.querySelectorAll(".explorer-host")].map((host) => {
            const live = host.offsetHeight;
            delete host.dataset.alive;
            host.querySelector(".explorer-live").hidden = true;
            const still = host.offsetHeight;
            host.dataset.alive = "true";
            host.querySelector(".explorer-live").hidden = false;
            return [host.dataset.room, live - still];
          });
        }"""
    )
    return [(room, by) for room, by in moved if abs(by) > 24]


def cut_titles(page):
    """Titles of folded boxes of which a part, as the sign that they open, is cut off."""
    return page.locator(".admonition.toggle > .admonition-title").evaluate_all(
        "(all) => all.filter((title) => title.scrollHeight > title.clientHeight + 1)"
        ".map((title) => title.innerText)"
    )


def blank_pictures(page):
    """Pictures that show nothing or tell nothing, once the page has been read to its end."""
    return page.locator("img:visible").evaluate_all(
        """async (all) => {
          for (const image of all) {
            image.scrollIntoView({ behavior: "instant" }); // a lazy one comes when it is near
            await image.decode().catch(() => {}); // and is told below if it does not
          }
          scrollTo({ top: document.body.scrollHeight, behavior: "instant" });
          for (let i = 0; i < 2; i += 1) await new Promise(requestAnimationFrame);
          return all.filter((i) => !i.alt.trim() || !i.complete || !i.naturalWidth)
            .map((i) => i.outerHTML);
        }"""
    )


@every_page
def test_page_on_a_screen(name, site_url, open_page):
    """From a server, 1280 px wide, light, then dark."""
    page = open_page(site_url + name)
    settle(page)
    assert page.locator("html").get_attribute("data-theme") == "light"
    explorers_alive(page)
    assert overflow(page) == []
    assert shifts(page) == [], "run `make sizes`"
    assert blank_pictures(page) == []
    page.set_viewport_size({"width": 1000, "height": 900})
    assert overflow(page) == []
    assert shifts(page) == [], "run `make sizes`"
    page.set_viewport_size({"width": 1280, "height": 900})
    first = name.startswith(CHAPTERS[0])
    assert serious_violations(page, name, whole=name in KINDS, contrast=first) == []
    assert pale_text(page) == []
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert pale_text(page) == []


@every_page
def test_page_on_a_phone(name, site, open_page):
    """By double click, from a folder, 360 px wide, dark."""
    page = open_page((site / name).as_uri(), width=360, dark=True)
    settle(page)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    explorers_alive(page)
    assert overflow(page) == []
    assert cut_titles(page) == []
    assert shifts(page) == [], "run `make sizes`"
    assert blank_pictures(page) == []
    if name in KINDS:
        assert serious_violations(page, name, contrast=False) == []


@every_page
def test_page_names_no_foreign_resource(name, site):
    text = (site / name).read_text(encoding="utf-8")
    tags = re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*>", text)
    foreign = [tag for tag in tags if re.search(r'(?:src|href)="(?:https?:)?//', tag)]
    assert foreign == []


def test_an_id_names_one_element(site):
    pages = [path for path in site.rglob("*.html") if "<head>" in path.read_text("utf-8")]
    assert {site / name for name in [*PAGES, "search.html"]} <= set(pages)
    for path in pages:
        ids = [element["id"] for element in parsed(path).select("[id]")]
        assert [each for each, count in Counter(ids).items() if count > 1] == [], path.name


@every_page
def test_a_summary_holds_what_a_line_may_hold(name, site):
    for summary in parsed(site / name).select("summary"):
        assert summary.select("p, div, ul, ol, table, pre") == []
        assert summary.get_text().strip()


def test_a_folded_cell_says_what_a_click_does(site_url, open_page):
    """One of two lines shows: the one that tells what is to come."""
    page = open_page(f"{site_url}{CHAPTERS[0]}.html")
    settle(page)
    folded = page.locator("details.hide:visible").first
    for shown, attribute in (("Show", None), ("Hide", "")):
        assert folded.get_attribute("open") == attribute
        assert folded.locator("summary").inner_text().strip().startswith(shown)
        folded.locator("summary").click()


@pytest.mark.parametrize("name", [TOC["root"] + ".html", "chapters/05-deriving-em.html"])
def test_still_pictures_stand_before_scripts(name, site_url, open_page):
    plain = open_page(site_url + name, scripts=False, allow=[" csp"])  # refused, as they should be
    stills = plain.locator(".explorer-host .explorer-still img")
    assert stills.count() == plain.locator(".explorer-host").count() > 0
    for index in range(stills.count()):
        image = stills.nth(index)
        image.scroll_into_view_if_needed()
        assert image.is_visible()
        assert len(image.get_attribute("alt")) > 20


def test_a_picture_of_the_first_explorer_stands_until_it_is_alive(site_url, open_page):
    page = open_page()
    page.add_init_script(
        """const seen = (window.seen = []);
        const look = () => {
          const host = document.querySelector(".explorer-host");
          if (host && document.readyState !== "loading") seen.push(host.offsetHeight);
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);"""
    )
    page.goto(site_url)
    settle(page)
    seen = page.evaluate("window.seen")
    assert explorers_alive(page) == 1
    assert [height for height in seen if abs(height - seen[-1]) > 24] == [], "run `make sizes`"


def test_page_with_broken_explorer_says_so(site, site_url, open_page):
    name = next(name for name in PAGES if "explorer-host" in (site / name).read_text("utf-8"))
    page = open_page(allow=["console: Error: broken on purpose"])

    files = re.search(r' data-files="([^"]*)"', (site / name).read_text("utf-8"))[1].split()
    entry = [file for file in files if file.endswith(".js")][-1]  # joined after what it imports

    def broken(route):
        file = route.request.url.rsplit("/", 1)[1].split("?")[0]
        module = "export default { render() { throw new Error('broken on purpose'); } }"
        text = json.dumps(module if file == entry else "")
        registered = f"explorerHost.register({json.dumps(file)}, {text})"
        route.fulfill(body=registered, content_type="text/javascript")

    page.route("**/_static/explorers/*.js*", broken)
    page.goto(site_url + name)
    message = page.locator(".explorer-host .explorer-error").first
    message.wait_for()
    assert "broken on purpose" in message.inner_text()
    assert "picture" in message.inner_text()
    assert page.locator(".explorer-still img").first.is_visible()


def test_search_dialog_opens_by_keyboard(site_url, open_page):
    page = open_page(site_url)
    settle(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("likelihood")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=likelihood*")


@pytest.mark.parametrize("width", [1280, 360])
def test_the_section_being_read_is_marked(width, site_url, open_page):
    """Beside the text in the contents, on a narrow screen in the bar; nothing moves for it."""
    page = open_page(f"{site_url}{CHAPTERS[4]}.html", width=width)
    settle(page)
    sections = page.locator("article > section > section[id]:has(> h2)")
    bar, contents = page.locator(".section-now"), page.locator(".bd-toc-nav a[aria-current]")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert bar.is_visible() is False
    assert contents.count() == 0
    for number in (0, 3, sections.count() - 1):
        section = sections.nth(number)
        section.evaluate("(each) => each.scrollIntoView({ behavior: 'instant' })")
        name = section.locator("h2").first.evaluate("(each) => each.firstChild.data")
        if width == 1280:
            page.wait_for_function(
                "(name) => document.querySelector('.bd-toc-nav [aria-current]')"
                "?.textContent.trim() === name",
                arg=name,
            )
            assert contents.count() == 1
            assert contents.is_visible()
            assert not bar.is_visible()
        else:
            said = f"{number + 1}/{sections.count()} {name}"
            page.wait_for_function(
                "(said) => document.querySelector('.section-now').textContent.trim() === said",
                arg=said,
            )
            assert bar.is_visible()
            assert bar.get_attribute("href") == f"#{section.get_attribute('id')}"
    assert page.evaluate("document.documentElement.scrollHeight") == height
    assert overflow(page) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_page_offers_its_notebook(name, site):
    """What is in it, `test_downloads.py` looks at."""
    link = parsed(site / f"{name}.html").select_one(".dropdown-menu a[href$='.ipynb'][download]")
    notebook = ((site / f"{name}.html").parent / link["href"]).resolve()
    assert notebook == site / "_sources" / f"{name}.ipynb"
    assert json.loads(notebook.read_bytes())["cells"][0]["id"] == "for-download"


def test_notebook_can_be_downloaded(site, site_url, open_page):
    page = open_page(f"{site_url}{NOTEBOOKS[0]}.html")
    settle(page)
    page.get_by_role("button", name=re.compile("Download", re.I)).first.click()
    with page.expect_download() as download:
        page.locator(".dropdown-menu a[href$='.ipynb']").click()
    got = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert got == json.loads((site / "_sources" / f"{NOTEBOOKS[0]}.ipynb").read_bytes())


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_code_can_be_copied(protocol, site, site_url, open_page):
    base = site_url if protocol == "http" else site.as_uri() + "/"
    page = open_page(f"{base}{NOTEBOOKS[0]}.html")
    if protocol == "http":
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell = page.locator("div.cell_input:visible").first
    cell.hover()
    cell.locator("button.copybtn").click()
    page.locator("button.copybtn.success").first.wait_for()
    if protocol == "http":
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == cell.locator("pre").inner_text().strip()


def test_theme_can_be_switched_and_is_kept(site_url, open_page):
    page = open_page(site_url)
    settle(page)
    switch = page.locator("button.theme-switch-button").first
    seen = set()
    for _ in range(3):
        switch.click()
        seen.add(page.locator("html").get_attribute("data-theme"))
    assert seen == {"light", "dark"}
    while page.locator("html").get_attribute("data-theme") != "dark":
        switch.click()
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_every_page_tells_how_to_cite_the_book(site_url, open_page):
    page = open_page(site_url)
    page.locator("footer").get_by_text("Cite this book").click()
    assert page.locator("footer").get_by_text("@book{gaussian-mixtures-and-em").is_visible()


@every_page
def test_links_inside_the_site_lead_somewhere(name, site):
    for link in parsed(site / name).select("a[href]"):
        href = link["href"]
        if re.match(r"[a-z]+:", href):
            continue
        path, _, anchor = href.partition("#")
        target = (site / name).parent / path.partition("?")[0] if path else site / name
        assert target.exists(), href
        # With "=" in it, it is a state of an explorer: test_embed.py opens it.
        if anchor and "=" not in anchor and target.suffix == ".html":
            assert anchor in names_in(target.resolve()), href
