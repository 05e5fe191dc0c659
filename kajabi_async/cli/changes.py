"""``kajabi changes``: what changes in the account, a line for each change."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from kajabi_async.cli.options import Metavar
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import Screen, error_screen, output_screen, second
from kajabi_async.errors import InvalidArgumentError, KajabiError
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import flush, print_cells, print_json
from kajabi_async.plain import rfc3339
from kajabi_async.private_files import replacing

if TYPE_CHECKING:
    from kajabi_async.changes import Change
    from kajabi_async.client import Kajabi

__all__ = ["changes"]

_DURATION: Final = re.compile(r"([0-9]{1,9})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST_SECONDS: Final = 10**9
_WIDTHS: Final = (23, 16)
"""Widths of a time and of a kind of change, in characters."""
_LONGEST_CURSOR: Final = 65_536


def changes(
    *,
    since: Annotated[
        str | None, Parameter(help="Where to start, back from now: 90s, 15m, 1h, 7d; now by default."), Metavar("TIME")
    ] = None,
    watch: Annotated[
        str | None,
        Parameter(
            help="Lists to watch, separated by commas: purchases, orders, form_submissions, contact_notes, customers, "
            "contacts; all by default."
        ),
        Metavar("NAME,..."),
    ] = None,
    every: Annotated[float, Parameter(help="Seconds between two polls."), Metavar("SECONDS")] = 60.0,
    once: Annotated[bool, Parameter(help="Poll once, print what has changed, and end.", negative=())] = False,
    cursor: Annotated[
        Path | None,
        Parameter(help="A file that keeps the place over restarts; written if there is none yet."),
        Metavar("FILE"),
    ] = None,
    sweep: Annotated[
        float | None,
        Parameter(help="Seconds between two requests that compare whole lists; off by default."),
        Metavar("SECONDS"),
    ] = None,
    json: Annotated[bool, Parameter(help="Print a line of JSON for each change; errors, too.", negative=())] = False,
) -> int:
    """Print what changes in the account, oldest first, until interrupted.

    Polls the lists that the API sorts by time: one request for each list and poll. Changes come at least once; one
    that comes again, as after a crash, has the same key. Edits of contacts, deletions and refunds are not seen: --sweep
    finds edits and deletions, slowly.

    --cursor FILE resumes after the last change that was printed; --since then only counts for the first run.

    Examples:
      kajabi changes --since 1h --once --json
      kajabi changes --watch purchases,orders --cursor place.txt
    """
    options: dict[str, Any] = {
        "since": None if since is None else _duration(since),
        # As the commands of these lists are called.
        "watch": None if watch is None else watch.replace("-", "_"),
        "every": every,
        "sweep": sweep,
    }
    _check(options)
    return on_client(lambda api: _print_changes(api, options, cursor, once=once, json=json))


def _check(options: dict[str, Any]) -> None:
    """Raise InvalidArgumentError for an option that makes no sense, before any credentials are looked for."""
    # Imported here, as both need the resources.
    from kajabi_async.changes.stream import checked_seconds  # noqa: PLC0415
    from kajabi_async.changes.watched import checked_watch  # noqa: PLC0415

    checked_watch(options["watch"])
    for name in ("every", "sweep"):
        if options[name] is not None:
            checked_seconds(options[name], of=f"--{name}")


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else None
    if seconds is None:
        raise InvalidArgumentError(f"--since takes a number and a unit, such as 90s, 15m, 1h or 7d, got {text[:40]!r}")
    if seconds >= _LONGEST_SECONDS:
        raise InvalidArgumentError(
            f"--since goes back {_LONGEST_SECONDS // _SECONDS['d']:,} days at most, got {text!r}"
        )
    return seconds


async def _print_changes(api: "Kajabi", options: dict[str, Any], file: Path | None, *, once: bool, json: bool) -> None:
    stream = api.changes(cursor=_stored(file), **options)
    if once:
        found = await stream.poll()
        for change in found:
            _print(change, file, json=json)
        _store(file, stream.cursor)
        if not found and not json:
            error_screen().line("no changes")
        return
    try:
        async for change in stream:
            _print(change, file, json=json)
    except (asyncio.CancelledError, KajabiError):
        # It was waiting: all that was yielded is printed.
        _store(file, stream.cursor)
        raise


def _print(change: "Change", file: Path | None, *, json: bool) -> None:
    if json:
        print_json(change.to_dict())
    else:
        _print_row(output_screen(), change)
    # The reader of a pipe has the line before the place moves behind it.
    flush()
    _store(file, change.cursor)


def _print_row(screen: Screen, change: "Change") -> None:
    what = (change.resource.resource_type, escape_value(change.resource.id))
    person = escape_value(change.email or change.customer_id or change.contact_id or "")
    if screen.is_terminal:
        cells = (second(change.at), change.kind, " ".join(filter(None, (*what, person))))
        screen.aligned([(text, "") for text in cells], widths=_WIDTHS)
    else:
        print_cells([rfc3339(change.at), change.kind, *what, person])


def _stored(file: Path | None) -> str | None:
    if file is None or not file.exists():
        return None
    with file.open("rb") as opened:
        return opened.read(_LONGEST_CURSOR).decode("utf-8", "replace").strip() or None


def _store(file: Path | None, cursor: str | None) -> None:
    if file is not None and cursor is not None:
        with replacing(file) as opened:
            opened.write(f"{cursor}\n".encode())
