"""Messages of a run of lookups that stalls or is interrupted, and the file of what it left unanswered."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kajabi_async.cli.credentials.profiles import profile_option
from kajabi_async.cli.error_lines import print_sentence
from kajabi_async.cli.id_files import STANDARD_INPUT, IdLines
from kajabi_async.cli.screens import Screen, clock_time
from kajabi_async.cli.value_lines import Content
from kajabi_async.fetching.lookups import BulkRun
from kajabi_async.output import print_json
from kajabi_async.private_files import replacing
from kajabi_async.wording import counted

if TYPE_CHECKING:
    from kajabi_async.export import ExportProgress
    from kajabi_async.fetching.outcomes import Progress

__all__ = ["keep_unanswered", "waiting_observer"]

_SUFFIX: Final = ".unanswered"


def waiting_observer(screen: Screen, *, json: bool) -> Callable[["Progress | ExportProgress"], None]:
    """Return an observer that prints on standard error when a run stalls, is paused and goes on."""
    shown: tuple[float | None, float | None] = None, None

    def show(progress: "Progress | ExportProgress") -> None:
        nonlocal shown
        now = progress.stalled_since, progress.paused_until
        if (now[0] is None) == (shown[0] is None) and (now[1] is None or shown[1] is not None):
            return
        shown = now
        if json:
            print_json({"progress": {"stalled_since": now[0], "paused_until": now[1]}}, error=True)
        else:
            screen.line(_describe(*now))

    return show


async def keep_unanswered(
    run: BulkRun[Any], lines: IdLines, source: str, content: Content, *, silence: float, json: bool
) -> None:
    """Write the values without an outcome, read or not, to a file for the next call, and print its path."""
    rest, is_all = await lines.rest(silence)
    unanswered = [*map(str, run.unanswered), *rest]
    if not unanswered:
        return
    path = _path_for(source, content)
    # Replaced atomically: they may have come from this very file.
    with replacing(path) as file:
        file.write(content.text_of(unanswered).encode())
    if json:
        print_json({"unanswered": {content.plural: len(unanswered), "path": str(path), "is_all": is_all}}, error=True)
        return
    more = "" if is_all else "; standard input may have more that were not read"
    verb = "is" if len(unanswered) == 1 else "are"
    left = f"{counted(len(unanswered), content.noun)} without an answer {verb} in {path}"
    command = f"kajabi {content.command} {shlex.quote(str(path))}{profile_option()}"
    print_sentence(f"{left}{more}; go on with `{command}`")


def _path_for(source: str, content: Content) -> Path:
    given = content.plural if source == STANDARD_INPUT else source
    return Path(given if given.endswith(_SUFFIX) else f"{given}{_SUFFIX}")


def _describe(stalled_since: float | None, paused_until: float | None) -> str:
    if stalled_since is None:
        return "the API answers again, going on"
    since = clock_time(stalled_since)
    if paused_until is None:
        return f"no answer since {since}; waiting for one"
    return f"the API asked to wait until {clock_time(paused_until)}; waiting"
