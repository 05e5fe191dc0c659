"""The application ``kajabi`` and its top-level commands."""

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
from kajabi_async.cli.access import add_access
from kajabi_async.cli.changes import add_changes
from kajabi_async.cli.completion import add_completion
from kajabi_async.cli.credentials.error import CredentialsError
from kajabi_async.cli.credentials.login import login, logout
from kajabi_async.cli.doctor import doctor
from kajabi_async.cli.exit_codes import EXIT_CODES_HELP, ExitCode, code_for, print_error
from kajabi_async.cli.export_commands import add_exports
from kajabi_async.cli.find import add_find
from kajabi_async.cli.lookup import explain_file, look_up_file
from kajabi_async.cli.options import Json
from kajabi_async.cli.read_commands import add_reads
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.running import on_client, run_to_exit_code
from kajabi_async.cli.terminal import help_console, output_screen
from kajabi_async.cli.usage import refuse_secrets, usage_error, wants_json
from kajabi_async.cli.whoami import whoami
from kajabi_async.cli.write_commands import add_writes
from kajabi_async.errors import ConfigurationError, InvalidArgumentError, KajabiError
from kajabi_async.escaping.text import escape_value
from kajabi_async.fetching.plan import Strategy
from kajabi_async.output import flush, prepare_streams, print_json, print_line, stop_writing
from kajabi_async.stall import PATIENCE_SECONDS

__all__ = ["make_app", "run"]

_HELP: Final = """Read and write Kajabi data from the command line.

Credentials come from the first of these that has any:
  1. KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in the environment
  2. a file of mode 0600: $KAJABI_CREDENTIALS_FILE, or
     kajabi/credentials.toml in $XDG_CONFIG_HOME or ~/.config
  3. the system keyring (extra `keyring`)
`kajabi login` writes the file or the keyring. No argument takes a secret.
KAJABI_SITE_ID is the site for lists and creations, KAJABI_BASE_URL another
host. `kajabi demo` needs none of these.

--json prints one JSON object on one line; lists print one such line for each
row. Errors are then JSON, too, on standard error:
{"error": {"type", "message", "exit_code", ...}}.
Colours and progress show on a terminal only; NO_COLOR turns colours off.
"""


def run(tokens: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; an error of the SDK is one line on standard error."""
    arguments = list(sys.argv[1:] if tokens is None else tokens)
    prepare_streams()
    try:
        return _run_and_report(arguments)
    except BrokenPipeError:
        stop_writing()
        return ExitCode.DONE
    except OSError as error:
        stop_writing()
        place = f" {error.filename}" if error.filename else ""
        failure = KajabiError(f"cannot read or write{place}: {error.strerror or type(error).__name__}")
        print_error(failure, ExitCode.INCOMPLETE, json=wants_json(arguments))
        return ExitCode.INCOMPLETE
    except Exception:  # noqa: BLE001 - a bug here; Python would print its text without escaping it
        for line in traceback.format_exc().rstrip("\n").split("\n"):
            print_line(line, error=True)
        return ExitCode.INCOMPLETE


def _run_and_report(tokens: list[str]) -> int:
    try:
        return _run(tokens)
    except KajabiError as error:
        return _report(error, code_for(error), tokens)
    except CycloptsError as error:
        return _report(usage_error(error), ExitCode.MISUSED, tokens)
    except KeyboardInterrupt:
        return _report(KeyboardInterrupt("interrupted"), ExitCode.INTERRUPTED, tokens)


def make_app() -> App:
    """Return the application with all of its commands."""
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
    add_changes(app)
    groups["customers"].command(lookup)
    add_find(groups)
    add_access(app)
    add_completion(app)
    for command in (demo, doctor, fake, login, logout, me, version, whoami):
        app.command(command)
    _reflow(app)
    return app


def _reflow(app: App) -> None:
    """Join each paragraph of a command's help into one line: plain text keeps line ends, and the terminal wraps."""
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
    # At exit a broken pipe could not be caught.
    flush()
    return code if isinstance(code, int) else ExitCode.DONE


def _report(error: BaseException, code: ExitCode, tokens: list[str]) -> ExitCode:
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
    # Importing the fake at the top would slow the start of every other command.
    from kajabi_async.cli.demo import demonstrate  # noqa: PLC0415 - see above

    return run_to_exit_code(lambda: demonstrate(output_screen(), json=json))


def lookup(
    # A path, so that shells complete file names.
    source: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    include: Annotated[str, Parameter(help="Relations to include: contact, offers, products.")] = "",
    fields: Annotated[str | None, Parameter(help="Attributes of customers to restrict the answers to.")] = None,
    concurrency: Annotated[int | None, Parameter(help="The number of lookups at once.")] = None,
    ordered: Annotated[bool, Parameter(help="Print in the order of the ids.", negative=())] = False,
    strategy: Annotated[
        Strategy, Parameter(help="One request per id, the pages of the list, or whichever needs fewer requests.")
    ] = "lookup",
    patience: Annotated[
        float, Parameter(help="Seconds without any answer after which to stop; pauses of the API are not counted.")
    ] = PATIENCE_SECONDS,
    explain: Annotated[
        bool, Parameter(help="Print what each strategy costs, and look nothing up.", negative=())
    ] = False,
    json: Annotated[bool, Parameter(help="Print the report, the plan and errors as JSON, too.", negative=())] = False,
) -> int:
    """Look up the customers whose ids are in a file, or on standard input for -, one per line.

    Prints a line of JSON for each as it arrives; progress goes to standard error. Empty lines and text after a # are
    skipped. The exit code is 1 if any id was not found.

    The run waits through a pause or an outage. Without any answer for --patience seconds it ends with the exit code 4;
    if interrupted, with 130. Both write the ids without an answer to the file SOURCE.unanswered (ids.unanswered for
    standard input); pass that file to the next call.

    --strategy lookup starts with the first id, and suits a slow pipe. scan reads the list of customers and looks up
    the ids that are not on it; auto chooses whichever needs fewer requests. Both wait for the last id, and their rows
    have the offers only with --include offers. --explain sends one request at most.
    """
    options: dict[str, Any] = {
        "include": include.split(","),
        "fields": None if fields is None else {"customers": fields},
        "concurrency": concurrency,
        "json": json,
    }
    if explain:
        return on_client(lambda api: explain_file(api, str(source), **options))
    options |= {"ordered": ordered, "strategy": strategy, "patience": patience}
    return on_client(lambda api: look_up_file(api, str(source), **options))


def fake(
    *,
    port: Annotated[int, Parameter(help="The port to listen on; 0 picks a free one.")] = 0,
    customers: Annotated[int, Parameter(help="The number of customers; each is made when first requested.")] = 1000,
    latency: Annotated[float, Parameter(help="Seconds before every answer.")] = 0.0,
    json: Json = False,
) -> int:
    """Serve a fake of the API on loopback until interrupted, and print the variables to export to use it."""
    from kajabi_async.testing import FakeKajabi  # noqa: PLC0415 - slow to import, as in demo

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
    """Show the user that the API key belongs to, with every attribute that the API sends."""

    async def show(api: Kajabi) -> None:
        user = await api.me()
        if json:
            print_json(as_members(user))
        else:
            print_resource(output_screen(), user)

    return on_client(show)


def version(*, json: Json = False) -> int:
    """Show the version of the API; --version shows that of this command."""

    async def show(api: Kajabi) -> None:
        members = attrs.asdict(await api.version())
        if json:
            print_json(members)
        else:
            for name, value in members.items():
                print_line(f"{name}: {escape_value(str(value))}")

    try:
        return on_client(show)
    except CredentialsError as error:
        error.add_note("This command asks for the API's version; `kajabi --version` prints the command's own")
        raise
