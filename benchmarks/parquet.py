"""Export of a list to Parquet, compared with a handwritten loop of aiohttp, orjson and pyarrow, one page at a time.

The loop writes a file with the same columns and types. It has no checkpoint, notices no row that shifts between two
pages and replaces the file in place.
"""

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  # it ships none
from pyarrow import parquet  # pyright: ignore[reportMissingTypeStubs]  # it ships none

from benchmarks import serving
from benchmarks.comparison import rate_table, rates, ratio
from benchmarks.contenders import BARE, HEADERS, OURS
from benchmarks.documents import PAGE_SIZE
from benchmarks.measuring import LOOPS, Results, interleaved, stopwatch, turns_taken
from benchmarks.results import Part, Table, at_least
from benchmarks.serving import Server
from benchmarks.sizes import Sizes
from kajabi_async import Kajabi
from kajabi_async.export import export

_pa: Any = pa
_parquet: Any = parquet

BY_HAND = f"{BARE}, pyarrow"
LATENCY = 0.02
PAGES_AHEAD = 10
AHEAD = f"{OURS}, {PAGES_AHEAD} pages ahead"
SECONDS = 15.0
"""The limit for all rounds together, in each of the two tables."""
ROWS_AT_ONCE = 10_000

TEXT, TIME = _pa.string(), _pa.timestamp("us", tz="UTC")
TYPES: dict[str, Any] = {
    "id": TEXT,
    **dict.fromkeys(("name", "email", "avatar", "external_user_id"), TEXT),
    **dict.fromkeys(("public_bio", "public_location", "public_website", "socials"), TEXT),
    "net_revenue": _pa.decimal128(38, 9),
    "sign_in_count": _pa.int64(),
    **dict.fromkeys(("last_request_at", "bounced_at", "created_at", "updated_at"), TIME),
    **dict.fromkeys(("contact_id", "site_id"), TEXT),
    **dict.fromkeys(("offer_ids", "product_ids"), _pa.list_(TEXT)),
    "extra": TEXT,
}
SCHEMA = _pa.schema(TYPES.items())
ATTRIBUTES = list(TYPES)[1:15]

Export = Callable[[Server, Path], Awaitable[int]]


async def ours(server: Server, path: Path, ahead: int = 0) -> int:
    async with Kajabi(client_id="bench", client_secret="bench", base_url=server.base_url) as api:
        return (await export(api.customers.list(page_size=PAGE_SIZE, prefetch=ahead), path)).rows


async def by_hand(server: Server, path: Path) -> int:
    exported, rows = 0, list[dict[str, Any]]()
    following: str | None = f"?page%5Bsize%5D={PAGE_SIZE}"
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        with _parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
            while following is not None:
                url = f"{server.base_url}/v1/customers?{following.partition('?')[2]}"
                async with session.get(url) as response:
                    response.raise_for_status()
                    page = orjson.loads(await response.read())
                rows.extend(page["data"])
                following = page["links"]["next"]
                if len(rows) >= ROWS_AT_ONCE or following is None:
                    writer.write_batch(_batch(rows))
                    exported += len(rows)
                    rows.clear()
    return exported


def _batch(rows: list[dict[str, Any]]) -> Any:
    attributes = [row["attributes"] for row in rows]
    relations = [row["relationships"] for row in rows]
    columns: list[Any] = [[row["id"] for row in rows]]
    columns += [[each[name] for each in attributes] for name in ATTRIBUTES]
    columns += [[_id_in(each, name) for each in relations] for name in ("contact", "site")]
    columns += [[_ids_in(each, name) for each in relations] for name in ("offers", "products")]
    columns.append([None] * len(rows))
    arrays = [_array(values, kind) for values, kind in zip(columns, TYPES.values(), strict=True)]
    return _pa.record_batch(arrays, schema=SCHEMA)


def _array(values: list[Any], kind: Any) -> Any:
    if kind == TIME or _pa.types.is_decimal(kind):
        return _pa.array(values, TEXT).cast(kind)
    return _pa.array(values, kind)


def _id_in(relations: dict[str, Any], name: str) -> str | None:
    data: dict[str, str] | None = relations.get(name, {}).get("data")
    return None if data is None else data["id"]


def _ids_in(relations: dict[str, Any], name: str) -> list[str] | None:
    data = relations.get(name, {}).get("data")
    return None if data is None else [each["id"] for each in data]


def measure(sizes: Sizes) -> Part:
    with serving.fastest(pages=sizes.exported // PAGE_SIZE) as server:
        contenders = {OURS: ours, BY_HAND: by_hand}
        here, measured = _measured(server, contenders, sizes.exported, sizes.scans, "")
    with serving.with_latency(LATENCY, pages=sizes.exported_with_latency // PAGE_SIZE) as server:
        contenders = {OURS: ours, AHEAD: partial(ours, ahead=PAGES_AHEAD), BY_HAND: by_hand}
        rows = sizes.exported_with_latency
        away, measured_away = _measured(server, contenders, rows, sizes.scans, " over 20 ms of latency")
    ahead = f"The same over 20 ms of latency, {PAGES_AHEAD} pages ahead"
    return Part(
        [here, away],
        [
            at_least("Export to Parquet, times that of a loop by hand", ratio(measured, BY_HAND), 0.8),
            at_least(ahead, ratio(measured_away, BY_HAND, ours=AHEAD), 3),
        ],
    )


def _measured(
    server: Server, contenders: Mapping[str, Export], rows: int, repeats: int, where: str
) -> tuple[Table, Results]:
    turns = {name: partial(turn, server, run, rows) for name, run in contenders.items()}
    asyncio_only = {"asyncio": LOOPS["asyncio"]}
    measured = rates(interleaved(turns, repeats=repeats, within=SECONDS, loops=asyncio_only))
    note = (
        f"Rows; the same columns and types, {turns_taken(measured['asyncio'])}. Ours reads every page twice, to find "
        "rows that shift meanwhile, and keeps each page on disk; one page at a time unless stated otherwise. "
        "`python -m benchmarks export --exported 10000` does both with as many rows."
    )
    return rate_table(f"Export of {rows:,} rows to Parquet{where}", measured, note), measured


async def turn(server: Server, run: Export, rows: int) -> float:
    """Return the seconds per row of a complete export, file and all."""
    with tempfile.TemporaryDirectory(prefix="kajabi_async-bench-") as folder:
        path = Path(folder, "customers.parquet")
        with stopwatch() as watch:
            exported = await run(server, path)
        assert exported == rows, f"exported {exported} of {rows} rows"
        check_file(path, rows)
    return watch.seconds / rows


def check_file(path: Path, rows: int) -> None:
    """Refuse a file with other columns, or another number of rows."""
    written = _parquet.read_table(path)
    assert written.schema.equals(SCHEMA), written.schema
    assert written.num_rows == rows, f"{written.num_rows} of {rows} rows are in the file"


def read(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = _parquet.read_table(path).to_pylist()
    return rows
