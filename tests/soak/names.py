"""Names that control terminals, break lines and run in spreadsheets, in the commands and the exports."""

import asyncio
import csv
import json
import random
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from kajabi_async.escaping.spreadsheet import unescape_cell
from kajabi_async.escaping.text import escape_value, unescape_value
from kajabi_async.testing import FakeKajabi
from tests.cli.screens import Printed, on_pipe, on_terminal
from tests.soak.figures import Figure

__all__ = ["hostile_name", "hostile_names"]

PIECES: Final = (
    *("[/]", "[bold red]", "[link=https://evil.example]", "[/link]", "[x]", ":smile:", ":skull:", "[[", "]"),
    *(
        "\x1b[2J",
        "\x1b[35;7m",
        "\x1b]52;c;cm0=\x07",
        "\x1b]8;;https://evil.example\x1b\\",
        "\x1b]0;title\x07",
        "\x1b",
        "\x1bc",
    ),
    *("\x9b31m", "\x9d0;title\x9c", "\x85", "\x90", "\x07", "\x08", "\x7f", "\x0b", "\x0c", "\x00"),
    *("\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u061c", "\u2028", "\ufe0f", "\u3164"),
    *("\U0001f600", "\U0001f468\u200d\U0001f469", "\U000e0041", "é", "e\u0301", "山田\u3000太郎", "\u00a0"),
    *("\n", "\r\n", "\r", "\t", "  ", " ", "\\", "\\x1b", "\\n", "'", '"', "=1+1", "@SUM(1)", "-2+3+cmd", "+49 30"),
    *(";=cmd|' /C calc'!A0", ",", ";", "\t=1", "\uff1dcmd", "Ada", "Lovelace", "Bob", "Closing", "null", "-", "..."),
)
_LONG: Final = 10_240
_AT_ONCE: Final = 500
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
_CUT: Final = "..."


def hostile_name(chance: random.Random) -> str:
    """Return a name of hostile pieces; one in fifty has 10 kB."""
    name = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 9)))
    if chance.random() < 0.02:
        name = (name * (_LONG // len(name) + 1))[:_LONG]
    return name


@attrs.define
class _Seen:
    runs: int = 0
    rows: int = 0
    faults: list[str] = attrs.field(factory=list[str])

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            self.faults.append(what[:300])


async def hostile_names(number: int, *, seed: int = 17) -> Figure:
    """Print and export *number* names: on a terminal, in a pipe, as JSON, and in each format."""
    chance = random.Random(seed)
    seen = _Seen()
    for first in range(0, number, _AT_ONCE):
        names = {str(first + at): hostile_name(chance) for at in range(1, min(_AT_ONCE, number - first) + 1)}
        async with FakeKajabi(customers=0, contacts_without_customer=0) as fake:
            for resource_id, name in names.items():
                attributes = {"name": name, "email": f"{resource_id}@example.com"}
                fake.add({"type": "customers", "id": resource_id, "attributes": attributes})
            await asyncio.to_thread(_all_ways, _settings(fake), names, chance, seen)
    shown = f"{seen.rows:,} rows in {seen.runs:,} runs, {len(seen.faults)} faults {seen.faults[:3]}"
    return Figure(f"{number:,} hostile names", shown, "0 faults", not seen.faults)


def _settings(fake: FakeKajabi) -> dict[str, str]:
    return {
        "KAJABI_BASE_URL": fake.base_url,
        "KAJABI_CLIENT_ID": fake.client_id,
        "KAJABI_CLIENT_SECRET": fake.client_secret,
    }


def _all_ways(settings: Mapping[str, str], names: Mapping[str, str], chance: random.Random, seen: _Seen) -> None:
    whole = ("customers", "list", "--limit", str(len(names)), "--page-size", "100")
    _check_table(_noted(seen, on_terminal(whole, settings)), names, seen)
    _check_lines(_noted(seen, on_pipe(whole, settings)), names, seen)
    _noted(seen, on_terminal(("api", "GET", "/v1/customers", "--param", "page[size]=100"), settings))
    for printed in (_noted(seen, way((*whole, "--json"), settings)) for way in (on_terminal, on_pipe)):
        printed_names = {row["id"]: row["name"] for row in map(json.loads, printed.out.splitlines())}
        _compare(printed_names, names, "list --json", seen)
    for resource_id in chance.sample(sorted(names), 3):
        _check_one(settings, resource_id, names[resource_id], seen)
    with tempfile.TemporaryDirectory() as folder:
        ids = Path(folder) / "ids.txt"
        ids.write_text("\n".join(names))
        printed = _noted(seen, on_pipe(("customers", "lookup", str(ids)), settings))
        printed_names = {row["id"]: row["customer"]["name"] for row in map(json.loads, printed.out.splitlines())}
        _compare(printed_names, names, "lookup", seen)
        for suffix in ("csv", "jsonl", "parquet", "arrow"):
            path = Path(folder) / f"names.{suffix}"
            _noted(seen, on_terminal(("export", "customers", "--out", str(path)), settings))
            _compare(dict(_exported(path)), names, suffix, seen)
            if suffix in {"csv", "jsonl"}:
                streamed = ("export", "customers", "--out", "-", "--format", suffix)
                _noted(seen, on_terminal(streamed, settings))
                # The same bytes as in a file: CSV keeps invisible characters, but none that controls a terminal.
                path.write_text(on_pipe(streamed, settings).out, "utf-8", newline="")
                seen.check(not _CONTROL.search(path.read_bytes()), f"control characters in {suffix} in a pipe")
                _compare(dict(_exported(path)), names, f"{suffix} on standard output", seen)
            is_text = suffix in {"csv", "jsonl"}
            seen.check(not is_text or not _CONTROL.search(path.read_bytes()), f"control characters in {suffix}")


def _noted(seen: _Seen, printed: Printed) -> Printed:
    seen.runs += 1
    seen.check(printed.code == 0, f"exit code {printed.code}: {printed.err or printed.out[-300:]}")
    acting = printed.acting
    seen.check(not acting and "\x1b[35;7m" not in printed.out, f"printed {acting!r}")
    return printed


def _compare(printed_names: Mapping[str, str], names: Mapping[str, str], place: str, seen: _Seen) -> None:
    seen.rows += len(printed_names)
    wrong = {key: (printed_names.get(key), name) for key, name in names.items() if printed_names.get(key) != name}
    seen.check(not wrong, f"{place}: {len(wrong)} wrong, such as {next(iter(wrong.items()), None)!r:.250}")


def _check_table(printed: Printed, names: Mapping[str, str], seen: _Seen) -> None:
    """Compare the column of names, in which a long one is cut."""
    printed_names: dict[str, str] = {}
    for line in re.sub(r"\x1b\[[\d;]*m", "", printed.out).splitlines():
        cells = [cell.strip() for cell in line.strip("\r").split("│")[1:-1]]
        if len(cells) > 1 and cells[0] in names:
            whole = escape_value(names[cells[0]])
            is_start = cells[1].endswith(_CUT) and whole.startswith(cells[1].removesuffix(_CUT).rstrip())
            printed_names[cells[0]] = names[cells[0]] if is_start or cells[1] == whole else cells[1]
    _compare(printed_names, names, "table", seen)


def _check_lines(printed: Printed, names: Mapping[str, str], seen: _Seen) -> None:
    """Compare the names in a pipe, which are whole."""
    rows = (line.split("\t") for line in printed.out.splitlines())
    _compare({row[0]: unescape_value(row[1]) for row in rows}, names, "lines", seen)


def _check_one(settings: Mapping[str, str], resource_id: str, name: str, seen: _Seen) -> None:
    for way in (on_terminal, on_pipe):
        printed = _noted(seen, way(("customers", "get", resource_id), settings))
        text = re.sub(r"\x1b\[[\d;]*m|[│\s]", "", printed.out)
        seen.check(re.sub(r"[│\s]", "", escape_value(name[:2000])) in text, f"get does not show {name!r:.200}")
        seen.rows += 1


def _exported(path: Path) -> Iterator[tuple[str, str]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as opened:
            yield from ((row["id"], unescape_cell(row["name"])) for row in csv.DictReader(opened))
    elif path.suffix == ".jsonl":
        rows: Sequence[dict[str, Any]] = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
        yield from ((row["id"], row["name"]) for row in rows)
    else:
        yield from _in_arrow(path)


def _in_arrow(path: Path) -> Iterator[tuple[str, str]]:
    from pyarrow import ipc, parquet  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  # it ships none

    reading: Any = ipc if path.suffix == ".arrow" else parquet
    table = reading.open_file(str(path)).read_all() if path.suffix == ".arrow" else reading.read_table(str(path))
    yield from zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True)
