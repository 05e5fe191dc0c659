"""An export from its arguments to its report: what is requested, observed, kept and written."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from kajabi_async import ClientClosedError, InvalidArgumentError, PermissionDeniedError, RateLimitError
from kajabi_async.decoding.decoder import class_of
from kajabi_async.export import ExportProgress, export, job
from kajabi_async.export.checkpoint import Checkpoint
from kajabi_async.export.columns import columns_of
from kajabi_async.fetching.page import ListRequest
from kajabi_async.fetching.pages import Pages
from kajabi_async.jsonapi.query import Query
from kajabi_async.operations import OPERATIONS, operation
from tests.clocks import ManualClock
from tests.export.scripted import ScriptedList, ids_of, rows_of
from tests.sending import Canned, context, resource


class StopHere(Exception):  # noqa: N818 - it is no error
    """Raised by an observer to stop an export."""


def stop(_: ExportProgress) -> None:
    raise StopHere


def kept_arguments(path: Path) -> dict[str, str]:
    """Return the arguments in the checkpoint of an export to *path*."""
    with closing(sqlite3.connect(path.with_name(f"{path.name}.partial") / "journal.sqlite")) as connection:
        return dict(connection.execute("SELECT name, value FROM arguments").fetchall())


# What is requested


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("customers.list", Query(), [("sort", "created_at"), ("page[size]", "100")]),
        ("customers.list", Query(sort=("created_at",), page_size=7), [("sort", "created_at"), ("page[size]", "7")]),
        ("offers.list", Query(), [("sort", "title"), ("page[size]", "100")]),
        ("transactions.list", Query(), [("page[size]", "100")]),
        ("transactions.list", Query(sort=("amount",), page_size=9), [("sort", "amount"), ("page[size]", "9")]),
        ("payouts.list", Query(), []),
        (
            "orders.list",
            Query(filters=(("filter[site_id]", "5"),)),
            [("filter[site_id]", "5"), ("sort", "created_at"), ("page[size]", "100")],
        ),
    ],
)
async def test_a_list_is_requested_in_the_order_that_shifts_least(
    name: str, given: Query, sent: list[tuple[str, str]], tmp_path: Path
) -> None:
    """In the largest pages that are documented, unless the list has another size or takes none."""
    send = Canned(lambda _: {"data": []})
    model: Any = class_of(name.removesuffix(".list"))
    report = await export(Pages(ListRequest(context(send), operation(name), model, given)), tmp_path / "rows.jsonl")
    (request,) = send.asked
    assert (request.path, parse_qsl(request.query)) == (OPERATIONS[name].path, sent)
    assert (report.rows, report.pages, (tmp_path / "rows.jsonl").read_text()) == (0, 1, "")


async def test_pages_are_fetched_ahead_as_the_list_says(tmp_path: Path) -> None:
    """None without ``prefetch``."""
    for prefetch, started in ((0, ["1", "2", "1"]), (2, ["1", "2", "3"])):
        listed = ScriptedList("abcdefgh")
        await export(listed.listing(prefetch=prefetch), tmp_path / "c.jsonl")
        assert listed.requests[:3] == started


@pytest.mark.parametrize("rows_seen", [0, 1])
async def test_a_list_that_starts_elsewhere_is_refused(rows_seen: int, tmp_path: Path) -> None:
    """On another page, or after some rows of the first one; nothing is requested."""
    listed = ScriptedList("abcd")
    start = listed.listing().position or ""
    _, digest, _, query = start.split(".", 3)
    page = "" if rows_seen else "&page%5Bnumber%5D=2"
    request = listed.listing().lister
    resumed = Pages(request, resume_from=f"1.{digest}.{rows_seen}.{query}{page}")
    with pytest.raises(InvalidArgumentError, match=r"^an export starts with the first row: omit resume_from="):
        await export(resumed, tmp_path / "c.jsonl")
    assert listed.requests == []


# What an observer is called with


async def test_an_observer_is_called_after_each_page_and_each_batch(tmp_path: Path) -> None:
    """With the rows and pages so far, and with the rows of all files written so far."""
    listed = ScriptedList("abcd")
    listed.before(2, lambda: listed.ids.append("e"))
    seen: list[ExportProgress] = []
    await listed.export(tmp_path / "c.jsonl", "offers", observer=seen.append)
    assert [(each.rows, each.pages, each.listed, each.written) for each in seen] == [
        (2, 1, 4, 0),
        (4, 2, 5, 0),
        (5, 3, 5, 0),
        (5, 3, 5, 5),
        (5, 3, 5, 10),
    ]
    assert {(each.stalled_since, each.paused_until) for each in seen} == {(None, None)}


async def test_an_observer_is_called_when_an_export_pauses_and_goes_on(tmp_path: Path) -> None:
    """With the times of both by the clock of the client, which alone is waited on."""
    listed = ScriptedList("abcd")
    clock = listed.clock = ManualClock()
    started = clock.time()
    listed.before(2, lambda: RateLimitError(status=429, method="GET", path="/v1/customers", retry_after=3600.0))
    seen: list[ExportProgress] = []
    report = await listed.export(tmp_path / "c.jsonl", observer=seen.append)
    states = [(each.pages, each.stalled_since, each.paused_until) for each in seen]
    assert states[:3] == [(1, None, None), (1, started, started + 600), (1, None, None)]
    assert {state[1:] for state in states[3:]} == {(None, None)}
    assert clock.time() - started >= 600
    assert report.seconds < 60


async def test_an_export_gives_up_when_its_patience_ends(tmp_path: Path) -> None:
    """Pauses that the API asked for are not counted; the next run has patience again."""
    listed = ScriptedList("abcd")
    clock = listed.clock = ManualClock()
    started = clock.monotonic()
    failure = RateLimitError(status=429, method="GET", path="/v1/customers")

    def limited() -> Exception:
        listed.before(1, limited)
        return failure

    listed.before(2, limited)
    with pytest.raises(RateLimitError):
        await listed.export(tmp_path / "c.jsonl", patience=30.0)
    assert 20 <= clock.monotonic() - started <= 60
    assert (await ScriptedList("abcd").export(tmp_path / "c.jsonl")).resumed_from == 2


class _StillClock(ManualClock):
    """A clock on which a long sleep never ends."""

    async def sleep(self, seconds: float) -> None:
        await (super().sleep(seconds) if seconds < 60 else asyncio.Event().wait())


async def test_an_export_that_waits_ends_when_its_client_is_closed(tmp_path: Path) -> None:
    """However long the pause is; the rows are kept."""
    listed = ScriptedList("abcd")
    listed.clock = _StillClock()
    listed.before(2, lambda: RateLimitError(status=429, method="GET", path="/v1/customers", retry_after=600.0))

    def close(progress: ExportProgress) -> None:
        if progress.stalled_since is not None:
            asyncio.get_running_loop().call_soon(listed.stalls.end)

    async with asyncio.timeout(20):
        with pytest.raises(ClientClosedError):
            await listed.export(tmp_path / "c.jsonl", observer=close)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (await ScriptedList("abcd").export(tmp_path / "c.jsonl")).resumed_from == 2


# What a checkpoint is resumed by


async def test_a_checkpoint_has_the_arguments_that_decide_what_is_exported(tmp_path: Path) -> None:
    """As text under fixed names, which later versions of the package compare with their own."""
    path = tmp_path / "c.jsonl"
    listed = ScriptedList("abcd")
    fields = {"offers": ("title",), "customers": ("name", "offers")}
    listing = listed.listing("offers", "products", fields=fields, filters=(("filter[site_id]", "5"),))
    with pytest.raises(StopHere):
        await export(listing, path, observer=stop)
    assert kept_arguments(path) == {
        "layout": "3",
        "resource": "customers",
        "base_url": "http://127.0.0.1:8080",
        "include": "offers,products",
        "fields": '{"customers": ["name", "offers"], "offers": ["title"]}',
        "filters": '[["filter[site_id]", "5"]]',
        "sort": "created_at",
        "page_size": "2",
        "format": "jsonl",
        "columns": "id:text name:text offer_ids:texts",
    }
    send = Canned(lambda _: {"data": [], "links": {}})
    request = ListRequest(context(send), operation("payouts.list"), class_of("payouts"), Query(sort=("amount", "-id")))
    with pytest.raises(StopHere):
        await export(Pages(request), path, format="csv", restart=True, observer=stop)
    kept = kept_arguments(path)
    columns = [f"{column.name}:{column.kind.value}" for column in columns_of(class_of("payouts"))]
    assert kept.pop("columns").split() == columns
    assert (kept["page_size"], kept["sort"], kept["include"], kept["format"]) == ("", "amount,-id", "", "csv")
    assert (kept["fields"], kept["filters"]) == ("{}", "[]")


def _no_columns(*_: object) -> tuple[Any, ...]:
    return ()


@pytest.mark.parametrize(
    ("changed", "value", "named"),
    [
        ("_LAYOUT", "4", "layout '3'"),
        ("SORTED_BY", {"customers": "name"}, "sort 'created_at'"),
        ("columns_for", _no_columns, "columns 'id:text"),
    ],
)
async def test_the_checkpoint_of_another_version_is_not_resumed(
    changed: str, value: Any, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If what it keeps would not fit: another layout, order of rows, or set of columns."""
    listed = ScriptedList("abcd")
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", observer=stop)
    monkeypatch.setattr(job, changed, value)
    with pytest.raises(InvalidArgumentError, match=f"was started with {named}"):
        await listed.export(tmp_path / "c.jsonl")


async def test_only_a_run_that_kept_a_page_is_resumed_from(tmp_path: Path) -> None:
    """None if the run before failed at once, and 0 after pages without a row."""
    for ids, resumed_from in (("abcd", None), ("", 0)):
        listed = ScriptedList(ids)
        if ids:
            listed.before(1, lambda: PermissionDeniedError(status=403, method="GET", path="/v1/customers"))
        with pytest.raises((PermissionDeniedError, StopHere)):
            await listed.export(tmp_path / "c.jsonl", observer=stop)
        report = await listed.export(tmp_path / "c.jsonl")
        assert (report.resumed_from, report.rows) == (resumed_from, len(ids))


async def test_the_checkpoint_is_used_in_one_thread_and_closed_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the thread of the event loop, which a slow disk must not hold up; also when the export fails."""
    threads: set[str] = set()
    calls: list[str] = []
    for name in ("open", "record", "close", "discard"):
        method = getattr(Checkpoint, name)

        def called(*arguments: Any, method: Any = method, **named: Any) -> Any:
            threads.add(threading.current_thread().name)
            calls.append(method.__name__)
            return method(*arguments, **named)

        monkeypatch.setattr(Checkpoint, name, called)
    with pytest.raises(StopHere):
        await ScriptedList("abcd").export(tmp_path / "c.jsonl", observer=stop)
    assert calls[-1] == "close"
    await ScriptedList("abcd").export(tmp_path / "c.jsonl")
    assert "discard" in calls
    (thread,) = threads
    assert thread.startswith("kajabi_async export")
    assert not any(each.name.startswith("kajabi_async export") for each in threading.enumerate())


# What is written and reported


async def test_a_report_has_the_numbers_of_all_runs(tmp_path: Path) -> None:
    """The files of included types follow that of the list, and one with other types only if there are any."""
    listed = ScriptedList("abcdefgh")
    listed.malformed.add("f")
    listed.pages[1] = {
        "data": [resource("customers", each) for each in "ab"],
        "included": [resource(name, "1", attributes={"x": 1}) for name in ("offers", "badges", "medals", "badges")],
        "links": {"next": "https://api.kajabi.com/v1/customers?page%5Bnumber%5D=2&include=offers,products"},
        "meta": {"total_count": 8},
    }
    listed.before(2, lambda: listed.ids.insert(0, "b"))
    with pytest.raises(StopHere):
        await listed.export(tmp_path / "c.jsonl", "offers", "products", observer=stop)
    report = await listed.export(tmp_path / "c.jsonl", "offers", "products")
    assert report.paths == tuple(tmp_path / f"c.{name}jsonl" for name in ("", "offers.", "products.", "other."))
    assert rows_of(tmp_path / "c.other.jsonl") == [
        {"type": name, "id": "1", "attributes": {"x": 1}} for name in ("badges", "medals")
    ]
    assert ids_of(tmp_path / "c.products.jsonl") == []
    assert set(rows_of(tmp_path / "c.offers.jsonl")[0]) == {column.name for column in columns_of(class_of("offers"))}
    facts = report.to_dict()
    assert 0 < facts.pop("seconds") < 60
    assert (report.malformed, report.problems) == (1, (facts["problems"][0],))
    del facts["paths"], facts["problems"], facts["warnings"]
    assert facts == {
        "rows": 7,
        "pages": 5,
        "related": {"offers": 8, "other": 2},
        "repeated": 1,
        "shifts": [],
        "malformed": 1,
        "listed": 9,
        "resumed_from": 2,
    }


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
async def test_the_files_have_the_format_of_the_suffix_or_the_chosen_one(suffix: str, tmp_path: Path) -> None:
    """All of them, whatever their suffix is."""
    await ScriptedList("ab").export(tmp_path / f"c.{suffix}", "offers")
    await ScriptedList("ab").export(tmp_path / "other.txt", "offers", format=suffix)
    for name in ("c", "c.offers"):
        written = (tmp_path / f"{name}.{suffix}").read_text()
        assert written == (tmp_path / f"{name.replace('c', 'other', 1)}.txt").read_text()
        assert written.startswith("{" if suffix == "jsonl" else "id,")


async def test_the_fields_that_are_requested_are_the_columns_of_each_file(tmp_path: Path) -> None:
    """Of the list and of what is included."""
    listing = ScriptedList("ab").listing("offers", fields={"customers": ("name",), "offers": ("title",)})
    await export(listing, tmp_path / "c.jsonl")
    assert list(rows_of(tmp_path / "c.jsonl")[0]) == ["id", "name"]
    assert list(rows_of(tmp_path / "c.offers.jsonl")[0]) == ["id", "title"]


async def test_a_path_through_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    """The report has the path of the folder itself, and a path may be text."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    report = await export(ScriptedList("ab").listing(), f"{tmp_path}/link/c.jsonl")
    assert report.paths == (tmp_path / "real" / "c.jsonl",)
    assert ids_of(tmp_path / "real" / "c.jsonl") == ["a", "b"]


@pytest.mark.parametrize("path", ["missing/c.jsonl", "", ".", "..", "here", "here/c.jsonl/c.jsonl"])
async def test_a_path_that_no_file_can_have_is_refused(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, or something in a folder that does not exist; the message has the whole path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "c.jsonl").write_text("old")
    listed = ScriptedList("ab")
    message = f"^{tmp_path.parent}.* cannot be written: it is a folder, or its folder does not exist$"
    with pytest.raises(InvalidArgumentError, match=message):
        await export(listed.listing(), path, format="jsonl")
    assert listed.requests == []


@pytest.mark.parametrize("name", ["c.jsonl", "c.offers.jsonl", "c.other.jsonl"])
async def test_a_file_that_cannot_be_replaced_is_refused_before_anything_is_requested(
    name: str, tmp_path: Path
) -> None:
    """That of the list, or one beside it."""
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    listed = ScriptedList("ab")
    with pytest.raises(InvalidArgumentError, match=rf"^{tmp_path}/{name} cannot be written: it is a link: name"):
        await listed.export(tmp_path / "c.jsonl", "offers")
    assert listed.requests == []


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (("offers", "Offers"), "^the files of these types would have the same name: offers, Offers, other$"),
        (("offers", "OTHER"), "^the files of these types would have the same name: offers, OTHER, other$"),
        (("offers", "../x"), "^'../x' is not a known resource type, and only those name files$"),
    ],
)
async def test_types_whose_names_are_no_names_of_files_are_refused(
    types: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system that ignores letter case, one file would replace the other."""

    def included(_: ListRequest[Any]) -> tuple[str, ...]:
        return types

    monkeypatch.setattr(job, "included_types", included)
    listed = ScriptedList("ab")
    with pytest.raises(InvalidArgumentError, match=message):
        await listed.export(tmp_path / "c.jsonl", "offers")
    assert listed.requests == []
