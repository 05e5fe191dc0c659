"""Every page in a browser, at the width of a phone and of a desktop."""

import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urlsplit

import pytest

from tests.docs.browser import Tab, opened
from tests.docs.building import PAGES, REPOSITORY, Build

pytestmark = pytest.mark.thorough

PHONE, DESK = 360, 1280
REPOSITORY_URL = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]
KNOWN_OUTSIDE = frozenset(
    {
        "https://kajabi.com",
        "https://keepachangelog.com/en/1.1.0",
        "https://semver.org",
        REPOSITORY_URL,
        f"{REPOSITORY_URL}/blob/main/SECURITY.md",
        "https://github.com/pradyunsg/furo",
        "https://pradyunsg.me",
        *(f"https://www.rfc-editor.org/rfc/rfc{number}" for number in (5681, 7661, 9406, 9438)),
    }
)
"""The external links that the pages may have; nothing is fetched from them."""

LOADED = (
    "document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))"
)
TOO_WIDE = """
((edge) => {
  const scrolls = element => /auto|scroll/.test(getComputedStyle(element).overflowX);
  const isCut = element => {
    for (let above = element; above && above.id !== "furo-main-content"; above = above.parentElement)
      if (scrolls(above)) return false;
    return element.getBoundingClientRect().right > edge + 1;
  };
  const found = [...document.querySelectorAll("article *")].filter(isCut).map(each => each.outerHTML.slice(0, 200));
  if (document.documentElement.scrollWidth > edge)
    found.push(`the page is ${document.documentElement.scrollWidth} px wide, the window ${edge}`);
  return found.slice(0, 5);
})
"""
SCROLLING_CODE = """
[...document.querySelectorAll("article pre")].filter(each => each.scrollWidth > each.clientWidth + 1)
  .map(each => each.textContent.slice(0, 80))
"""
COPIED = """
(async () => {
  const copied = [];
  Object.defineProperty(navigator, "clipboard", {value: {writeText: async text => { copied.push(text); }}});
  const buttons = [...document.querySelectorAll("div.highlight button.copy")];
  for (const button of buttons) { button.click(); await Promise.resolve(); }
  await new Promise(done => setTimeout(done));
  return [copied, buttons.map(button => button.textContent)];
})()
"""
SCROLLING_TABLES = """
[...document.querySelectorAll("article table")].map(table => table.parentElement)
  .filter(each => /auto|scroll/.test(getComputedStyle(each).overflowX) && each.scrollWidth > each.clientWidth + 1)
  .map(each => each.textContent.slice(0, 80))
"""
BROKEN_OPTIONS = """
[...document.querySelectorAll("article .option")].filter(each => each.getClientRects().length > 1)
  .map(each => each.textContent)
"""
ROWS_OF_LINES = """
[...document.querySelectorAll("div.highlight pre .line")].map(line => {
  const range = document.createRange();
  range.selectNodeContents(line);
  const rows = new Map();
  for (const {left, bottom, width} of range.getClientRects())
    if (width) rows.set(Math.round(bottom), Math.min(left, rows.get(Math.round(bottom)) ?? Infinity));
  return [...rows.values()];
})
"""
SELECTED = """
[...document.querySelectorAll(".highlight-python pre")].map(pre => {
  getSelection().selectAllChildren(pre);
  return [getSelection().toString().trimEnd(), pre.textContent.trimEnd()];
})
"""
LINKS = "[...document.querySelectorAll('a[href]')].map(link => link.href)"
BAD_PAGE = """
<meta name="viewport" content="width=device-width"><article><p style="width: 900px">wide</p>
<pre style="overflow-x: auto"><code style="display: block; width: 2000px">code</code></pre>
<div style="overflow-x: auto"><table><tr><td style="min-width: 900px">cell</table></div>
<p style="width: 3em"><span class="option">--an-option</span></article>
<img src="https://example.com/x.png"><script>console.error("boo")</script>
"""
FOUND = """
new Promise((done, failed) => {
  const look = () => {
    const summary = document.querySelector("#search-results .search-summary");
    const links = [...document.querySelectorAll("#search-results li a")].map(link => link.textContent);
    if (summary && /finished/.test(summary.textContent)) done(links); else setTimeout(look, 20);
  };
  setTimeout(() => failed(new Error("the search does not end")), 10000);
  look();
})
"""


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_is_whole_on_a_phone_and_on_a_desk(
    page: str, docs_url: str, built_docs: Path, browser: str
) -> None:
    """No broken link, no error in the console, nothing wider than the window, no request to another host.

    Nor code or a table that has to be scrolled sideways, nor an option that breaks after a hyphen.
    """
    async with opened(browser, f"{docs_url}/{page}", width=PHONE) as tab:
        assert await _too_wide(tab, PHONE) == []
        assert await _sideways(tab) == []
        await tab.set_width(DESK)
        assert await _too_wide(tab, DESK) == []
        assert await _sideways(tab) == []
        links: list[str] = await tab.evaluate(LINKS)
        assert links
        assert [link for link in sorted(set(links)) if not _has_target(link, docs_url, built_docs)] == []
        assert _console_errors(tab) == []
        assert _requested_elsewhere(tab, docs_url) == []


async def test_the_search_finds_a_guide(docs_url: str, browser: str) -> None:
    """The page searches in an index that is part of the build."""
    async with opened(browser, f"{docs_url}/search.html?q=prefetch", width=DESK) as tab:
        found: list[str] = await tab.evaluate(FOUND)
        assert "Relations" in found
        assert _console_errors(tab) == []
        assert _requested_elsewhere(tab, docs_url) == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("grant_offers", "api.contacts.grant_offers"),
        ("customers.list", "api.customers.list"),
        ("Report", "kajabi_async.Report"),
    ],
)
async def test_the_search_shows_the_names_that_users_write(words: str, shown: str, docs_url: str, browser: str) -> None:
    """Not the modules of the classes, from which users import nothing."""
    async with opened(browser, f"{docs_url}/search.html?q={words}", width=DESK) as tab:
        found: list[str] = await tab.evaluate(FOUND)
    assert shown in found
    assert [each for each in found if re.match(r"kajabi_async\.(resources|fetching|models|client)\b", each)] == []


async def test_a_button_copies_the_code(docs_url: str, browser: str) -> None:
    """Of a shell session the commands without their prompts; output has no button."""
    async with opened(browser, f"{docs_url}/guides/install.html", width=DESK) as tab:
        copied, said = await tab.evaluate(COPIED)
    assert copied[0] == "python -m venv .venv\nsource .venv/bin/activate\npip install kajabi-async"
    assert [text for text in copied if "$" in text or not text] == []
    assert set(said) == {"Copied"}
    async with opened(browser, f"{docs_url}/guides/quickstart.html", width=DESK) as tab:
        copied, _ = await tab.evaluate(COPIED)
        assert any(text.startswith("import asyncio\n\nfrom kajabi_async import Kajabi") for text in copied)
        assert [text for text in copied if text.startswith(("Mateo Park", "GET /v1"))] == []


async def test_the_rest_of_a_long_line_of_code_hangs_below_its_beginning(docs_url: str, browser: str) -> None:
    """So it is not read as a statement of its own; code that is selected by hand is copied as it was written."""
    async with opened(browser, f"{docs_url}/guides/quickstart.html", width=PHONE) as tab:
        rows: list[list[float]] = await tab.evaluate(ROWS_OF_LINES)
        broken = [lefts for lefts in rows if len(lefts) > 1]
        assert len(broken) > 10
        assert [lefts for lefts in broken if min(lefts[1:]) < lefts[0] + 10] == []
        texts: list[tuple[str, str]] = await tab.evaluate(SELECTED)
    assert [selected for selected, written in texts if selected != written] == []
    assert any("\n\n\nasync def main() -> None:\n    async with Kajabi" in selected for selected, _ in texts)


async def test_a_bad_page_would_be_noticed(docs_url: str, built_docs: Path, browser: str) -> None:
    """The checks find the faults of a page that has some."""
    async with opened(browser, f"data:text/html,{quote(BAD_PAGE)}", width=PHONE) as tab:
        too_wide = await _too_wide(tab, PHONE)
        assert any("900px" in each for each in too_wide)
        assert not any("2000px" in each for each in too_wide)  # It scrolls on its own.
        assert await tab.evaluate(SCROLLING_CODE) == ["code"]
        assert await tab.evaluate(SCROLLING_TABLES) == ["cell"]
        assert await tab.evaluate(BROKEN_OPTIONS) == ["--an-option"]
        assert any("boo" in each for each in _console_errors(tab))
        assert _requested_elsewhere(tab, docs_url) == ["https://example.com/x.png"]
    assert not _has_target(f"{docs_url}/gone.html", docs_url, built_docs)
    assert not _has_target(f"{docs_url}/index.html#gone", docs_url, built_docs)
    assert not _has_target("https://example.com/", docs_url, built_docs)


def test_the_same_sources_give_the_same_pages(built_docs: Path, tmp_path: Path) -> None:
    """No page depends on the time, the address of an object or the order of a set."""
    again = Build.start(tmp_path / "docs", hash_seed="2").finish()
    assert _contents(again) == _contents(built_docs)


async def _too_wide(tab: Tab, width: int) -> list[str]:
    await tab.evaluate(LOADED)
    found: list[str] = await tab.evaluate(f"{TOO_WIDE}({width})")
    return found


async def _sideways(tab: Tab) -> list[str]:
    """Return what has to be scrolled sideways to be read, and options that are on two lines."""
    scripts = (SCROLLING_CODE, SCROLLING_TABLES, BROKEN_OPTIONS)
    return [each for script in scripts for each in await tab.evaluate(script)]


def _console_errors(tab: Tab) -> list[str]:
    errors = [str(each["entry"]) for each in tab.parameters_of("Log.entryAdded") if each["entry"]["level"] == "error"]
    errors += [
        str(each) for each in tab.parameters_of("Runtime.consoleAPICalled") if each["type"] in {"error", "assert"}
    ]
    errors += [str(each["exceptionDetails"]) for each in tab.parameters_of("Runtime.exceptionThrown")]
    errors += [str(each) for each in tab.parameters_of("Network.loadingFailed")]
    answers = (each["response"] for each in tab.parameters_of("Network.responseReceived"))
    return errors + [f"{answer['status']} {answer['url']}" for answer in answers if answer["status"] >= 400]


def _requested_elsewhere(tab: Tab, docs_url: str) -> list[str]:
    urls = [each["request"]["url"] for each in tab.parameters_of("Network.requestWillBeSent")]
    assert urls
    return [url for url in urls if not url.startswith((f"{docs_url}/", "data:"))]


def _has_target(link: str, docs_url: str, folder: Path) -> bool:
    if not link.startswith(f"{docs_url}/"):
        return urlsplit(link).scheme == "https" and link.rstrip("/") in KNOWN_OUTSIDE
    address, fragment = urldefrag(link)
    target = folder / (unquote(urlsplit(address).path).removeprefix("/") or "index.html")
    if not target.is_file():
        return False
    return not fragment or unquote(fragment) in _ids(target)


@cache
def _ids(page: Path) -> frozenset[str]:
    return frozenset(re.findall(r'\bid="([^"]+)"', page.read_text("utf-8")))


def _contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".buildinfo")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
