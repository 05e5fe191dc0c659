"""Every part of ``make bench``, at sizes too small to measure performance."""

import json
import platform
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, aclosing
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import PARTS, run, write
from benchmarks.contenders import CONTENDERS, Contender, ids_of
from benchmarks.documents import customer
from benchmarks.floor import Streams
from benchmarks.instructions import NAMES, look_up
from benchmarks.measuring import Spread, interleaved_here
from benchmarks.parquet import Export, by_hand, check_file, ours, read
from benchmarks.plot import Line, drawn
from benchmarks.results import Figure, Part, Table, at_least, at_most, under
from benchmarks.serving import Server, fastest, name, with_latency
from benchmarks.sizes import Sizes
from tests.sharing import once_for_all_workers

TINY = Sizes(
    repeats=1,
    lookups=20,
    scans=1,
    rows=1_000,
    rows_with_latency=200,
    decodings=1,
    calls=50,
    waiters=100,
    objects=100,
    imports=1,
    growth_repeats=1,
    growth_seconds=0.01,
    beside_repeats=1,
    beside_calls=20,
    engine_ids=(200,),
    exported=200,
    exported_with_latency=200,
    customers=1_000,
    concurrencies=(1, 100),
)

RunServer = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(params=[fastest, partial(with_latency, 0.001)], ids=["the fastest", "with latency"], name="server")
def running_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    run_server: RunServer = request.param
    with run_server(pages=3) as server:
        yield server


@pytest.fixture(name="parts", scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> list[Part]:
    """The results of a whole run, which the first test worker runs for the others."""
    parts: list[Part] = once_for_all_workers(tmp_path_factory, "benchmarks", lambda: run(list(PARTS), TINY))
    return parts


@pytest.mark.thorough
def test_every_part_gives_a_table_without_gaps(parts: list[Part]) -> None:
    """Each row has a cell for each column, and a measured median in it."""
    tables = [table for part in parts for table in part.tables]
    assert len(tables) >= len(PARTS)
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.header)}, table.title
        assert all(re.match(r"[\d,.]+$", row[1]) for row in table.rows), table.title


@pytest.mark.thorough
def test_every_figure_to_reach_is_measured(parts: list[Part]) -> None:
    """Each with its target."""
    figures = [figure for part in parts for figure in part.figures]
    bars = [
        figure.target.removeprefix("at least ").removeprefix("at most ").removeprefix("under ") for figure in figures
    ]
    assert bars == [
        *("1", "0.85", "14"),
        *("0.5", "1"),
        *("0.7", "3", "4"),
        *("0.8", "3"),
        *("1.5", "1.5", "1.2"),
        "15 µs",
        *("2", "2", "2"),
        *("20", "20"),
        "1,200 bytes",
        *("60 ms", "150 ms", "35 ms"),
        "0.95",
        *("1,000 ms", "50 ms"),
    ]


@pytest.mark.thorough
def test_the_page_says_when_on_what_and_with_what(parts: list[Part], tmp_path: Path) -> None:
    """But neither the name nor a path of the machine."""
    write(tmp_path, parts, seconds=1.0, before=0.0)
    page = tmp_path.joinpath("RESULTS.md").read_text()
    for text in (
        "cores",
        platform.python_version(),
        "aiohttp 3.",
        "kajabi-py 0.1",
        "uvloop",
        "make bench",
        "growth.svg",
    ):
        assert text in page
    assert platform.node() not in page
    assert str(Path.cwd()) not in page
    assert ET.parse(tmp_path / "growth.svg").getroot().tag.endswith("svg")


def test_without_nginx_our_own_server_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page names it as the server."""
    monkeypatch.setattr("benchmarks.nginx.installed", lambda: False)
    assert name() == "a canned asyncio server"
    with fastest(pages=1) as server:
        assert _fetched(f"{server.base_url}/v1/customers/7")["data"] == customer("7")


@pytest.mark.parametrize("contender", CONTENDERS, ids=[each.name for each in CONTENDERS])
async def test_every_contender_does_all_of_the_work(contender: Contender, server: Server) -> None:
    """It looks up all ids and reads all rows of all pages, page by page."""
    async with contender.open(server.base_url, 5) as client:
        assert await client.look_up(ids_of(12), concurrency=5, included=True) == 12
        async with aclosing(client.scan()) as scan:
            assert [await anext(scan) for _ in range(3)] == [100] * 3


def test_the_server_answers_with_the_customer_that_was_asked_for(server: Server) -> None:
    """The id of the path is the id of the answer, also in links; resources are included only on request."""
    plain = _fetched(f"{server.base_url}/v1/customers/4711")
    assert plain == {"data": customer("4711")}
    full = _fetched(f"{server.base_url}/v1/customers/4711?include=contact,offers,products")
    assert full["data"] == plain["data"]
    assert [each["type"] for each in full["included"]] == ["offers", "products", "contacts"]


def test_the_pages_of_a_list_lead_from_one_to_the_next(server: Server) -> None:
    """Three pages, 300 rows, no id twice."""
    ids: list[str] = []
    query: str | None = "page%5Bsize%5D=100"
    while query is not None:
        page = _fetched(f"{server.base_url}/v1/customers?{query}")
        ids += [row["id"] for row in page["data"]]
        following = page["links"]["next"]
        query = following and following.partition("?")[2]
    assert ids == [str(number) for number in range(1, 301)]


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (at_least("a", 0.85, 0.85), True),
        (at_least("a", 0.8499, 0.85), False),
        (at_most("a", 2.5, 2.5), True),
        (at_most("a", 2.51, 2.5), False),
        (under("a", 59.9, 60, "ms"), True),
        (under("a", 60.0, 60, "ms"), False),
    ],
)
def test_a_figure_says_whether_it_is_met(figure: Figure, met: bool) -> None:
    """Also exactly at the target."""
    assert figure.met is met
    assert figure.row[-1] == ("met" if met else "**not met**")


def test_contenders_are_compared_round_by_round() -> None:
    """A round on a busy machine does not decide the result, and affects both sides alike."""
    ours, theirs = Spread((10.0, 1.0, 12.0)), Spread((20.0, 2.0, 20.0))
    assert ours.times(theirs) == 0.5
    assert theirs.over(ours) == 8.0
    assert (ours.median, ours.low, ours.high) == (10.0, 1.0, 12.0)


def test_contenders_take_turns_as_long_as_there_is_time() -> None:
    """There is at least one round; further rounds start only if they end in time."""
    order: list[str] = []

    def turn(name: str) -> float:
        order.append(name)
        return 1.0

    turns = {name: partial(turn, name) for name in "ab"}
    assert interleaved_here(turns, repeats=2, within=60.0)["a"].values == (1.0, 1.0)
    assert order == ["a", "b", "a", "b"]
    assert interleaved_here(turns, repeats=2, within=0.0)["b"].values == (1.0,)


def test_a_table_is_aligned_in_the_terminal_and_is_markdown() -> None:
    """The same text serves both."""
    table = Table("Sizes", ["what", "bytes"], [["a", "1,000"], ["longer", "2"]], "All of them.")
    assert str(table).splitlines() == [
        "## Sizes",
        "",
        "All of them.",
        "",
        "| what   | bytes |",
        "|--------|------:|",
        "| a      | 1,000 |",
        "| longer |     2 |",
    ]


def test_a_plot_is_logarithmic_both_ways() -> None:
    """Equal factors are equal distances, and both axes are labelled."""
    line = Line("5 ms", [(1, 10), (10, 100), (100, 1000)], [(1, 10), (100, 10_000)])
    root = ET.fromstring(drawn("Growth", across="at once", up="a second", lines=[line], dashed="ideal"))
    svg = "{http://www.w3.org/2000/svg}"
    ideal, real = (each.get("points", "").split() for each in root.iter(f"{svg}polyline"))
    places = [tuple(map(float, point.split(","))) for point in real]
    steps = {(round(b[0] - a[0]), round(b[1] - a[1])) for a, b in pairwise(places)}
    assert len(steps) == 1
    assert ideal[0] == real[0]
    assert {"Growth", "at once", "a second", "5 ms", "ideal", "100", "1,000"} <= {
        each.text for each in root.iter(f"{svg}text")
    }


def _fetched(url: str) -> Any:
    with urllib.request.urlopen(url) as response:
        assert response.headers["Content-Type"] == "application/vnd.api+json"
        return json.load(response)


async def test_the_floor_looks_up_on_connections_that_it_keeps(server: Server) -> None:
    """As many as are in use at once, each with whole answers."""
    client = Streams(server.base_url)
    assert await client.look_up(ids_of(12), concurrency=3, included=True) == 12
    found: Any = await client.get("4711", included=True)
    assert found["data"] == customer("4711")
    client.close()


@pytest.mark.parametrize("contender", NAMES)
@pytest.mark.parametrize("in_bulk", [False, True])
async def test_the_work_whose_instructions_are_counted_is_done(contender: str, in_bulk: bool, server: Server) -> None:
    """By each contender: a lookup that failed would be cheap."""
    await look_up(server.base_url, contender, in_bulk=in_bulk, count=60)


@pytest.mark.parametrize("run_export", [ours, by_hand])
async def test_both_exports_write_the_same_file(run_export: Export, server: Server, tmp_path: Path) -> None:
    """The same columns, types and values: the loop by hand does not do less."""
    assert await run_export(server, tmp_path / "a.parquet") == 300
    check_file(tmp_path / "a.parquet", 300)
    rows = read(tmp_path / "a.parquet")
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 301)]
    assert rows[4] == {
        "id": "5",
        "name": "Alice Smith 5",
        "email": "alice.5@example.com",
        "external_user_id": "cust_123",
        "net_revenue": Decimal("0.000000000"),
        "sign_in_count": 0,
        "created_at": datetime(2021, 1, 1, tzinfo=UTC),
        "updated_at": datetime(2021, 1, 1, tzinfo=UTC),
        "contact_id": "321",
        "offer_ids": ["456"],
        "product_ids": ["789"],
        **dict.fromkeys(("avatar", "public_bio", "public_location", "public_website", "socials")),
        **dict.fromkeys(("last_request_at", "bounced_at", "site_id", "extra")),
    }


def test_without_uvloop_everything_else_is_measured() -> None:
    """The floor says that it is absent; no other part needs it."""
    code = (
        "import sys; sys.modules['uvloop'] = None\n"
        "from benchmarks import server\n"
        "from benchmarks.floor import compared_with_the_floor\n"
        "from benchmarks.machine import versions\n"
        "from benchmarks.measuring import LOOPS, Spread\n"
        "print([*LOOPS], compared_with_the_floor({}).measured)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "['asyncio'] uvloop is absent"
