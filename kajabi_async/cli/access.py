"""``kajabi access check``: whether a person has access, in words and by the exit code."""

from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from kajabi_async.cli.contents import Command
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.options import Json, Metavar
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import output_screen, second
from kajabi_async.errors import AuthenticationError, PermissionDeniedError
from kajabi_async.escaping.text import escape_value
from kajabi_async.output import print_json
from kajabi_async.plain import rfc3339

if TYPE_CHECKING:
    from kajabi_async.access import Access, State
    from kajabi_async.client import Kajabi

__all__ = ["access_group"]

_BUDGET_SECONDS: Final = 30.0
_THOROUGH_SECONDS: Final = 600.0
_CODES: Final[dict["State", ExitCode]] = {
    "allowed": ExitCode.DONE,
    "denied": ExitCode.DENIED,
    "unknown": ExitCode.NOT_KNOWN,
}


_HELP: Final = """Check whether a person has access, by an email or a customer's id.

Examples:
  kajabi access check ada@example.com --offer 4
"""


def access_group(command: Command) -> App:
    """Return the group ``access`` with its one command."""
    group = App(name=command.name, help=_HELP)
    group.command(check)
    return group


def check(
    email: Annotated[str | None, Parameter(help="The email of the person, in any letter case.")] = None,
    /,
    *,
    customer_id: Annotated[str | None, Parameter(help="The customer, in place of an email."), Metavar("ID")] = None,
    offer: Annotated[
        list[str] | None, Parameter(help="An offer that is enough; may be repeated.", negative=()), Metavar("ID")
    ] = None,
    product: Annotated[
        list[str] | None, Parameter(help="A product that is enough; may be repeated.", negative=()), Metavar("ID")
    ] = None,
    thorough: Annotated[
        bool, Parameter(help="Read the whole list if the search, which misses people, finds none.", negative=())
    ] = False,
    json: Json = False,
) -> int:
    """Say whether the person with an email, or a customer, has access to any of the offers and products.

    Without --offer and --product any access counts. The exit code is 0 if the person has access, 5 if not, and 6 if it
    is not known, such as while Kajabi does not answer for half a minute.

    Examples:
      kajabi access check ada@example.com --offer 4
      kajabi access check --customer-id 7 --product 12 --json
    """
    # Imported here, as the package needs the client, which an argument that the parser refuses does not.
    from kajabi_async.access import AccessGate  # noqa: PLC0415
    from kajabi_async.access.question import Person, Question  # noqa: PLC0415

    offers, products = offer or (), product or ()
    # Before any credentials are looked for.
    Person.of(email, customer_id)
    Question.of(offers, products)

    async def ask(api: "Kajabi") -> int:
        gate = AccessGate(api, budget=_THOROUGH_SECONDS if thorough else _BUDGET_SECONDS, thorough=thorough)
        access = await gate.check(email=email, customer_id=customer_id, offers=offers, products=products)
        if isinstance(access.error, AuthenticationError | PermissionDeniedError):
            # Asking again would not help; the error says what would.
            raise access.error
        if json:
            print_json(access.to_dict())
        else:
            screen = output_screen()
            screen.line(_line(access, is_terminal=screen.is_terminal, thorough=thorough))
        return _CODES[access.state]

    return on_client(ask)


def _line(access: "Access", *, is_terminal: bool, thorough: bool) -> str:
    time = access.as_of and (second(access.as_of) if is_terminal else rfc3339(access.as_of))
    details = [
        f"customer {access.person}" if access.person else "",
        f"as of {time}" if time else "",
        str(access.error or ""),
    ]
    shown = ", ".join(filter(None, details))
    # Reading the list finds a person whom the search missed, and helps against nothing else.
    is_missed = access.unknown and access.as_of is not None and not (access.person or access.error)
    cure = "; --thorough reads the whole list" if is_missed and not thorough else ""
    return escape_value(f"{access.state}: {access.because}{f' ({shown})' if shown else ''}{cure}")
