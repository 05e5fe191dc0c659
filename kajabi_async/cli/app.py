"""The commands of ``kajabi`` and how they hang together."""

import asyncio
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
from cyclopts import App, CycloptsError, Parameter

from kajabi_async import Kajabi
from kajabi_async.cli.arguments import refuse_secrets, wants_json
from kajabi_async.cli.completion import add_completion
from kajabi_async.cli.credentials.error import CredentialsError
from kajabi_async.cli.credentials.login import login, logout
from kajabi_async.cli.doctor import doctor
from kajabi_async.cli.exit_codes import EXIT_CODES_HELP, ExitCode, code_for
from kajabi_async.cli.export import add_exports
from kajabi_async.cli.lookup import explain_file, look_up_file
from kajabi_async.cli.options import Json
from kajabi_async.cli.reads import add_reads
from kajabi_async.cli.rendering import as_members, print_members, print_resource
from kajabi_async.cli.reporting import print_error
from kajabi_async.cli.running import on_client, run_to_exit_code
from kajabi_async.cli.terminal import help_console, output_screen
from kajabi_async.cli.usage import usage_error
from kajabi_async.cli.whoami import whoami
from kajabi_async.cli.writes import add_writes
from kajabi_async.errors import ConfigurationError, InvalidArgumentError, KajabiError
from kajabi_async.escaping.text import escape_value
from kajabi_async.fetching.plan import Strategy
from kajabi_async.output import flush, prepare_streams, print_json, print_line, stop_writing
from kajabi_async.stall import PATIENCE_SECONDS

__all__ = ["make_app", "run"]

_HELP: Final = """Look at and write to Kajabi from the command line.

Credentials come from the first of these that has some:
  1. KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in the environment
  2. a file of mode 0600: $KAJABI_CREDENTIALS_FILE, or
     kajabi/credentials.toml in $XDG_CONFIG_HOME or ~/.config
  3. the system keyring (extra `keyring`)
`kajabi login` writes the file or the keyring. No argument takes a secret.
KAJABI_SITE_ID names the site that lists and creations are about, and
KAJABI_BASE_URL another host. `kajabi demo` needs none of these.

--json prints one JSON object on one line; lists print one such line for each
row. Errors are then JSON, too, on standard error:
{"error": {"type", "message", "exit_code", ...}}.
Colours and progress show on a terminal only; NO_COLOR puts colours off.
"""


def run(tokens: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code; every error of ours is told in one line on standard error."""
    given = list(sys.argv[1:] if tokens is None else tokens)
    prepare_streams()
    try:
        return _run_and_report(given)
    except BrokenPipeError:
        stop_writing()
        return ExitCode.DONE
    except OSError as error:
        stop_writing()
        place = f" {error.filename}" if error.filename else ""
        complaint = KajabiError(f"cannot read or write{place}: {error.strerror or type(error).__name__}")
        print_error(complaint, ExitCode.INCOMPLETE, json=wants_json(given))
        return ExitCode.INCOMPLETE
    except Exception:  # noqa: BLE001 - a fault of ours, which Python would print with all that its text holds
        for line in traceback.format_exc().rstrip("\n").split("\n"):
            print_line(line, error=True)
        return ExitCode.INCOMPLETE


def _run_and_report(given: list[str]) -> int:
    try:
        return _run(given)
    except KajabiError as error:
        return _told(error, code_for(error), given)
    except CycloptsError as error:
        return _told(usage_error(error), ExitCode.MISUSED, given)
    except KeyboardInterrupt:
        return _told(KeyboardInterrupt("interrupted"), ExitCode.INTERRUPTED, given)


def make_app() -> App:
    """Put the commands together."""
    app = App(
        name="kajabi",
        help=_HELP,
        help_format="plaintext",
        help_epilogue=EXIT_CODES_HELP,
        version=_own_version,
        version_flags=["--version"],
        console=help_console(),
        error_console=help_console(stderr=True),
        suppress_keyboard_interrupt=False,
    )
    groups = add_reads(app)
    add_writes(groups)
    add_exports(app)
    groups["customers"].command(lookup)
    add_completion(app)
    for command in (demo, doctor, fake, login, logout, me, version, whoami):
        app.command(command)
    _reflow(app)
    return app


def _reflow(app: App) -> None:
    """Make each paragraph of a docstring one line, for the terminal to wrap; plain text keeps line ends."""
    for name in app:
        if not name.startswith("-"):
            command = app[name]
            paragraphs = (command.help or "").split("\n\n")
            command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
            _reflow(command)


def _run(tokens: list[str]) -> int:
    refuse_secrets(tokens)
    code: Any = make_app()(
        tokens, exit_on_error=False, print_error=False, help_on_error=False, result_action="return_value"
    )
    # Here and not at exit, where a broken pipe could not be caught.
    flush()
    return code if isinstance(code, int) else ExitCode.DONE


def _told(error: BaseException, code: ExitCode, tokens: list[str]) -> ExitCode:
    flush()
    print_error(error, code, json=wants_json(tokens))
    return code


def _own_version() -> str:
    try:
        return version_of("kajabi-async")
    except PackageNotFoundError:
        return "not installed; run from its source"


def demo(*, json: Json = False) -> int:
    """Show the main job against a fake of the API inside this process; needs no account."""
    # Here, as the fake takes a good part of the time in which any other command begins.
    from kajabi_async.cli.demo import demonstrate  # noqa: PLC0415 - see above

    return run_to_exit_code(lambda: demonstrate(output_screen(), json=json))


def lookup(
    # A path, so that shells complete file names.
    source: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    include: Annotated[str, Parameter(help="Relations to bring along: contact, offers, products.")] = "",
    fields: Annotated[str | None, Parameter(help="Attributes of customers to restrict the answers to.")] = None,
    concurrency: Annotated[int | None, Parameter(help="How many lookups at once.")] = None,
    ordered: Annotated[bool, Parameter(help="Print in the order of the ids.", negative=())] = False,
    strategy: Annotated[
        Strategy, Parameter(help="Each id by itself, off the pages of the list, or fewer requests.")
    ] = "lookup",
    patience: Annotated[
        float, Parameter(help="Seconds without any answer after which to stop; pauses of the API are not counted.")
    ] = PATIENCE_SECONDS,
    explain: Annotated[
        bool, Parameter(help="Print what each strategy takes, and look nothing up.", negative=())
    ] = False,
    json: Annotated[bool, Parameter(help="Tell the report, the plan and errors in JSON, too.", negative=())] = False,
) -> int:
    """Look up the customers whose ids stand in a file, or - for standard input, one to a line.

    Prints a line of JSON for each, as it arrives; progress goes to standard error. Empty lines and what follows a #
    are skipped. The exit code is 1 if any id was not found.

    A pause or an outage is waited out. A run that gets no answer for --patience seconds ends with the exit code 4, one
    that is interrupted with 130; both write the ids without an answer to the file SOURCE.unanswered, ids.unanswered
    for standard input, which the next call takes.

    --strategy lookup begins with the first id, and suits a pipe that takes its time. scan reads the list of customers
    and looks up what is not on it; auto chooses whichever is fewer requests. Both wait for the last id, and their rows
    tell the offers only with --include offers. --explain sends one request at most.
    """
    asked: dict[str, Any] = {
        "include": include,
        "fields": None if fields is None else {"customers": fields},
        "concurrency": concurrency,
        "json": json,
    }
    if explain:
        return on_client(lambda api: explain_file(api, str(source), **asked))
    asked |= {"ordered": ordered, "strategy": strategy, "patience": patience}
    return on_client(lambda api: look_up_file(api, str(source), **asked))


def fake(
    *,
    port: Annotated[int, Parameter(help="0 takes a free one.")] = 0,
    customers: Annotated[int, Parameter(help="How many there are; they cost nothing until asked for.")] = 1000,
    latency: Annotated[float, Parameter(help="Seconds before every answer.")] = 0.0,
    json: Json = False,
) -> int:
    """Serve a fake of the API on loopback until interrupted, and print what to export to use it."""
    from kajabi_async.testing import FakeKajabi  # noqa: PLC0415 - as for the demo

    async def serve() -> None:
        try:
            server = FakeKajabi(customers=customers, latency=latency)
        except ValueError as error:
            raise InvalidArgumentError(str(error)) from None
        try:
            await server.start(port=port)
        except (OSError, OverflowError) as error:
            await server.aclose()
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"cannot listen on port {port}: {reason}") from None
        settings = {
            "KAJABI_BASE_URL": server.base_url,
            "KAJABI_CLIENT_ID": server.client_id,
            "KAJABI_CLIENT_SECRET": server.client_secret,
        }
        try:
            if json:
                print_json(settings)
            else:
                for name, value in settings.items():
                    print_line(f"export {name}={value}")
            flush()
            await asyncio.Event().wait()
        finally:
            await server.aclose()

    return run_to_exit_code(serve)


def me(*, json: Json = False) -> int:
    """Show the user that the API key belongs to, with all that the API tells of it."""

    async def show(api: Kajabi) -> None:
        user = await api.me()
        if json:
            print_members(as_members(user))
        else:
            print_resource(output_screen(), user)

    return on_client(show)


def version(*, json: Json = False) -> int:
    """Show the version of the API; --version shows that of this command."""

    async def show(api: Kajabi) -> None:
        told = attrs.asdict(await api.version())
        if json:
            print_json(told)
        else:
            for name, value in told.items():
                print_line(f"{name}: {escape_value(str(value))}")

    try:
        return on_client(show)
    except CredentialsError as error:
        error.add_note("This is about the version of the API; `kajabi --version` tells that of this command")
        raise
