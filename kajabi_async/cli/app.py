"""The command line: from what was typed to the exit code.

Read `run` first: `front` prints the pages that need no command, `dispatch` runs the others. `contents` lists the
commands, `descriptions` says what each takes, for its page and for `refusals`, and `building` makes the application of
cyclopts that reads the arguments.
"""

import sys
from collections.abc import Sequence
from typing import Final

from kajabi_async.cli.front import ExitCode, front_page
from kajabi_async.output import flush, prepare_streams, print_line, stop_writing

__all__ = ["run"]

_LIBRARIES: Final = ("cyclopts", "rich")
"""Those of the extra ``cli``."""


def run(tokens: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; an error of the SDK is one line on standard error."""
    arguments = list(sys.argv[1:] if tokens is None else tokens)
    prepare_streams()
    try:
        return _run(arguments)
    except BrokenPipeError:
        stop_writing()
        return ExitCode.DONE
    except KeyboardInterrupt:
        # Interrupted before `dispatch`, which reports it, was imported.
        print_line("kajabi: interrupted", error=True)
        return ExitCode.INTERRUPTED
    except OSError as error:
        stop_writing()
        return _report_failed_stream(error, arguments)
    except Exception:  # noqa: BLE001 - a bug here; Python would print its text without escaping it
        import traceback  # noqa: PLC0415 - only here

        for line in traceback.format_exc().rstrip("\n").split("\n"):
            print_line(line, error=True)
        return ExitCode.INCOMPLETE


def _run(arguments: list[str]) -> int:
    if front_page(arguments):
        # At exit a broken pipe could not be caught.
        flush()
        return ExitCode.DONE
    # The pages above need no library, and importing those of the commands takes longer than printing a page.
    import importlib.util  # noqa: PLC0415

    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        print_line(f"kajabi needs {' and '.join(missing)}: pip install 'kajabi-async[cli]'", error=True)
        return ExitCode.MISUSED
    from kajabi_async.cli.dispatch import dispatch  # noqa: PLC0415

    return dispatch(arguments)


def _report_failed_stream(error: OSError, arguments: list[str]) -> int:
    from kajabi_async.cli.error_lines import print_error  # noqa: PLC0415
    from kajabi_async.cli.usage import wants_json  # noqa: PLC0415
    from kajabi_async.errors import KajabiError  # noqa: PLC0415

    place = f" {error.filename}" if error.filename else ""
    failure = KajabiError(f"cannot read or write{place}: {error.strerror or type(error).__name__}")
    print_error(failure, ExitCode.INCOMPLETE, json=wants_json(arguments))
    return ExitCode.INCOMPLETE
