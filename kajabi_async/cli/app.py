"""The commands of ``kajabi`` and how they hang together."""

import asyncio
from typing import Annotated, Any

import attrs
from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from kajabi_async import Kajabi
from kajabi_async.cli.demo import demonstrate
from kajabi_async.cli.export import add_exports
from kajabi_async.cli.lookup import look_up_file
from kajabi_async.cli.reads import add_reads
from kajabi_async.cli.rendering import as_json, as_members, print_resource
from kajabi_async.cli.running import EXIT_CODES, MISUSED, on_client, run_to_exit_code
from kajabi_async.cli.writes import add_writes
from kajabi_async.testing import FakeKajabi

__all__ = ["make_app", "run"]

_HELP = f"""Look at and write to Kajabi from the command line.

Credentials come from the environment: KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET; KAJABI_SITE_ID names the site that
lists and creations are about. `kajabi demo` needs neither.

{EXIT_CODES}
"""

_Json = Annotated[bool, Parameter(name="--json", help="Print one line of JSON.", negative=())]


def run(tokens: list[str] | None = None) -> int:
    """Run the command line and give the exit code."""
    app = make_app()
    try:
        code: Any = app(tokens, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        return MISUSED
    return code if isinstance(code, int) else 0


def make_app() -> App:
    """Put the commands together."""
    app = App(name="kajabi", help=_HELP, help_format="plaintext", version_flags=[])
    groups = add_reads(app)
    add_writes(groups)
    add_exports(app)
    groups["customers"].command(lookup)
    for command in (demo, fake, me, version):
        app.command(command)
    return app


def demo() -> int:
    """Show the main job against a fake of the API inside this process; needs no account."""
    return run_to_exit_code(demonstrate)


def lookup(
    source: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    include: Annotated[str, Parameter(help="Relations to bring along: contact, offers, products.")] = "",
    fields: Annotated[str | None, Parameter(help="Attributes of customers to restrict the answers to.")] = None,
    concurrency: Annotated[int | None, Parameter(help="How many lookups at once.")] = None,
    ordered: Annotated[bool, Parameter(help="Print in the order of the ids.", negative=())] = False,
) -> int:
    """Look up the customers whose ids stand in a file, or - for standard input, one to a line.

    Prints a line of JSON for each, as it arrives; progress goes to standard error. Empty lines and what follows a #
    are skipped. The exit code is 1 if any id was not found.
    """
    fieldsets = None if fields is None else {"customers": fields}

    async def look_up(api: Kajabi) -> int:
        return await look_up_file(
            api, source, include=include, fields=fieldsets, concurrency=concurrency, ordered=ordered
        )

    return on_client(look_up)


def fake(
    *,
    port: Annotated[int, Parameter(help="0 takes a free one.")] = 0,
    customers: Annotated[int, Parameter(help="How many there are; they cost nothing until asked for.")] = 1000,
    latency: Annotated[float, Parameter(help="Seconds before every answer.")] = 0.0,
) -> int:
    """Serve a fake of the API on loopback until interrupted, and print what to export to use it."""

    async def serve() -> None:
        server = FakeKajabi(customers=customers, latency=latency)
        await server.start(port=port)
        try:
            print(f"export KAJABI_BASE_URL={server.base_url}")  # noqa: T201 - a command prints
            print(f"export KAJABI_CLIENT_ID={server.client_id}")  # noqa: T201
            print(f"export KAJABI_CLIENT_SECRET={server.client_secret}", flush=True)  # noqa: T201
            await asyncio.Event().wait()
        finally:
            await server.aclose()

    return run_to_exit_code(serve)


def me(*, json: _Json = False) -> int:
    """Show the user that the API key belongs to."""

    async def show(api: Kajabi) -> None:
        user = await api.me()
        if json:
            print(as_json(as_members(user)))  # noqa: T201 - a command prints
        else:
            print_resource(Console(), user)

    return on_client(show)


def version(*, json: _Json = False) -> int:
    """Show the version of the API."""

    async def show(api: Kajabi) -> None:
        told = attrs.asdict(await api.version())
        for line in [as_json(told)] if json else [f"{name}: {value}" for name, value in told.items()]:
            print(line)  # noqa: T201 - a command prints

    return on_client(show)
