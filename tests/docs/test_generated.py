"""What the build reads from the package is whole: every command, every name, every option, every page."""

import inspect
import posixpath
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, get_args

import pytest

import kajabi_async
from kajabi_async.cli.contents import COMMANDS
from kajabi_async.cli.descriptions import Description, description_of, is_group
from kajabi_async.cli.front import MEANINGS
from tests.blocks import blocks_of
from tests.docs.building import PAGES, REPOSITORY, SOURCES
from tests.every_resource import every_resource

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
LISTS = every_resource()
_CODE = re.compile(r"<code[^>]*>(.*?)</code>", re.DOTALL)


@cache
def _text(page: Path) -> str:
    return page.read_text("utf-8")


def _codes(html: str) -> set[str]:
    """Return the words in code, without the elements that Sphinx wraps them in."""
    return {unescape(re.sub(r"<[^>]+>", "", found)) for found in _CODE.findall(html)}


def _commands() -> Iterator[tuple[tuple[str, ...], Description]]:
    for command in COMMANDS:
        yield from _with_those_below(description_of(command.name), ("kajabi", command.name))


def _with_those_below(
    description: Description, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Description]]:
    yield words, description
    for name, each in description["commands"].items():
        yield from _with_those_below(each, (*words, name))


def _page_of(words: tuple[str, ...], folder: Path) -> str:
    """Return the page of the section of *words*, a command."""
    section = next(command.section for command in COMMANDS if command.name == words[1])
    return _text(folder / "commands" / f"{section.lower()}.html")


@pytest.mark.thorough
def test_every_command_is_on_the_page_of_its_section(built_docs: Path) -> None:
    """Those of each group, too: a new command needs no edit of a page."""
    commands = [words for words, _ in _commands()]
    assert len(commands) > 60
    assert [words for words in commands if f'id="{"-".join(words)}"' not in _page_of(words, built_docs)] == []


@pytest.mark.thorough
def test_every_command_of_the_first_level_is_linked_from_the_guide(built_docs: Path) -> None:
    """In the sections and with the words of ``kajabi --help``."""
    guide = _text(built_docs / "guides" / "command.html")
    lines = [(f"commands/{command.section.lower()}.html#kajabi-{command.name}", command) for command in COMMANDS]
    assert [target for target, _ in lines if f'href="../{target}"' not in guide] == []
    text = unescape(re.sub(r"<[^>]+>", "", guide))
    assert [command.name for _, command in lines if command.summary.replace("`", "") not in text] == []


@pytest.mark.thorough
def test_every_option_of_a_command_is_in_its_section(built_docs: Path) -> None:
    """Filters, too, and with what each takes, as on the page of the command; arguments stand in the usage.

    The filters of an export are those of the list, and are listed there: its section has a link to them.
    """
    lacking: list[str] = []
    checked = 0
    for words, description in _commands():
        if not is_group(description):
            section = _page_of(words, built_docs).partition(f'id="{"-".join(words)}"')[2].partition("<section")[0]
            tables = dict(description["tables"])
            if words[1] == "export" and "Filters" in tables:
                del tables["Filters"]
                assert re.search(rf'href="[^"]*#kajabi-{words[2]}-list"', section), words
            options = {name for rows in tables.values() for row, _ in rows for name in row.split(", ")}
            checked += len(options)
            lacking += [f"{' '.join(words)} {name}" for name in options - _codes(section)]
            assert unescape(re.sub(r"<[^>]+>", "", section)).count(description["usage"]) == 1, words
    assert checked > 60
    assert lacking == []


@pytest.mark.thorough
def test_every_exit_code_is_in_the_page_of_the_command(built_docs: Path) -> None:
    """With its meaning."""
    page = unescape(_text(built_docs / "guides" / "command.html"))
    assert [code for code, meaning in MEANINGS.items() if meaning not in page] == []


@pytest.mark.thorough
def test_every_public_name_is_in_the_whole_surface(built_docs: Path) -> None:
    """On the page and in the text for language models."""
    page, text = _text(built_docs / "surface.html"), _text(built_docs / "llms-full.txt")
    names = set(kajabi_async.__all__)
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", page)) == []
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", text)) == []
    verbs = {f"api.{cls.name}.{verb}" for cls in LISTS for verb, _ in inspect.getmembers(cls, inspect.isfunction)}
    assert sorted(verb for verb in verbs if "._" not in verb and f"{verb}(" not in text) == []
    assert "api.resource(cls)" in text
    assert "`await api.me()`" in text


@pytest.mark.thorough
def test_every_page_is_in_the_list_for_language_models(built_docs: Path) -> None:
    """Each with a sentence about it, and each link has its page."""
    text = _text(built_docs / "llms.txt")
    links = re.findall(r"^- \[[^\]]+\]\((?P<link>[^)]+)\): \S+", text, re.MULTILINE)
    assert text.startswith(f"# kajabi_async {PROJECT['project']['version']}\n\n> ")
    assert sorted({*PAGES, "api/index.html"} - {"index.html", "genindex.html", "search.html"} - {*links}) == []
    assert [link for link in links if not (built_docs / link).is_file()] == []


@pytest.mark.thorough
def test_every_page_has_the_navigation_to_all_pages(built_docs: Path) -> None:
    """In the same order, by title, with the page itself as the current one."""
    guides = {*PAGES, "api/index.html"} - {"index.html", "genindex.html", "search.html"}
    seen: set[tuple[tuple[str, str], ...]] = set()
    for page in {*guides, "index.html"}:
        tree = _text(built_docs / page).partition('<div class="sidebar-tree">')[2].partition("</div>")[0]
        links = re.findall(r'<a class="(current )?reference internal" href="([^"]*)">(.*?)</a>', tree)
        assert [target for is_current, target, _ in links if is_current] == ["#"] * (page != "index.html"), page
        targets = (page if target == "#" else posixpath.join(posixpath.dirname(page), target) for _, target, _ in links)
        seen.add(tuple(zip(map(posixpath.normpath, targets), (title for *_, title in links), strict=True)))
    (pages,) = seen
    assert sorted(guides - dict(pages).keys()) == []
    assert [name for _, name in pages if "<" in name or not name] == []


@pytest.mark.thorough
@pytest.mark.parametrize("cls", LISTS)
def test_every_option_of_a_list_is_listed_at_the_method(cls: Any, built_docs: Path) -> None:
    """Its signature says ``**options`` only."""
    target = f'id="{cls.__module__}.{cls.__name__}.list"'
    (page,) = (path for path in (built_docs / "api").glob("*.html") if target in _text(path))
    method = _text(page).partition(target)[2].partition('<dl class="py')[0]
    keywords = inspect.signature(cls.list).parameters["options"]
    options = set(get_args(keywords.annotation)[0].__annotations__)
    if not cls.sort_keys:
        options -= {"sort"}
    if not any(relation.includable for relation in cls.model.relations.values()):
        options -= {"include"}
    assert options
    assert sorted(options - _codes(method)) == []


def test_the_start_page_shows_jobs_of_four_lines() -> None:
    """Before the picture of the command and the list of guides."""
    page = (SOURCES / "index.md").read_text("utf-8")
    cards, _, rest = page.partition("\n::::\n")
    blocks = [block for block in blocks_of(SOURCES / "index.md") if block.code in cards]
    assert len(blocks) == cards.count("{container} card\n") >= 6
    assert [block.code for block in blocks if block.code.count("\n") != 4] == []
    assert [line for block in blocks for line in block.code.splitlines() if len(line) > 52] == []
    assert 0 < rest.index("](demo.svg)") < rest.index("{toctree}")


def test_the_description_on_pypi_leads_everywhere_that_the_readme_leads() -> None:
    """Pictures and links of the checkout become URLs of the repository at the tag of the version."""
    hook = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    readme = text = (REPOSITORY / "README.md").read_text("utf-8")
    for each in hook["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) == len(re.findall(r"\]\(([^)]+)\)", readme))
    assert [link for link in links if not link.startswith("https://")] == []
    repository = PROJECT["project"]["urls"]["Repository"]
    raw = repository.replace("https://github.com", "https://raw.githubusercontent.com")
    assert f"![kajabi demo]({raw}/v$HFPR_VERSION/docs/demo.svg)" in text
    assert f"({repository}/blob/v$HFPR_VERSION/docs/guides/bulk.md)" in text
    assert f"Repository <{repository}>" in (SOURCES / "index.md").read_text("utf-8")
