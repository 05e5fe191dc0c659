"""``kajabi customers find`` and ``kajabi contacts find``: one person by email, or many from a file of emails."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Group, Parameter

from kajabi_async import Kajabi, KajabiError
from kajabi_async.cli.id_files import Content, IdLines
from kajabi_async.cli.lookup import explain_file, look_up_file
from kajabi_async.cli.options import Json
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.terminal import output_screen
from kajabi_async.errors import InvalidArgumentError
from kajabi_async.fetching.lookups import EmailLookups, Observer
from kajabi_async.fetching.plan import Strategy
from kajabi_async.output import print_json
from kajabi_async.resources.people import Contacts, Customers

__all__ = ["add_find"]

_OF_A_FILE: Final = Group("Options for a file of emails")
_ALONE: Final = "one email is written in place of the file"
_COMMENT: Final = re.compile(r"(?:^|\s)#")
"""An email may have a # in it, but not after white space."""


def add_find(groups: dict[str, App]) -> None:
    """Add the command ``find`` to the groups of customers and of contacts."""
    for cls in (Customers, Contacts):
        groups[cls.name].command(_find(cls), name="find")


def _find(cls: type[Customers] | type[Contacts]) -> Callable[..., int]:
    name: Literal["customers", "contacts"] = "customers" if cls is Customers else "contacts"
    relations = ", ".join(sorted(each for each, relation in cls.model.relations.items() if relation.includable))

    def find(
        # A path, so that shells complete file names.
        email_or_file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
        /,
        *,
        site_id: Annotated[str | None, Parameter(help="The site; KAJABI_SITE_ID by default.")] = None,
        thorough: Annotated[
            bool, Parameter(help="Read the whole list if the search finds none: it misses people.", negative=())
        ] = False,
        include: Annotated[str | None, Parameter(help=f"Relations to include: {relations}.", group=_OF_A_FILE)] = None,
        fields: Annotated[
            str | None, Parameter(help=f"Attributes of {name} to restrict the answers to.", group=_OF_A_FILE)
        ] = None,
        concurrency: Annotated[int | None, Parameter(help="The number of lookups at once.", group=_OF_A_FILE)] = None,
        ordered: Annotated[
            bool, Parameter(help="Print in the order of the emails.", negative=(), group=_OF_A_FILE)
        ] = False,
        strategy: Annotated[
            Strategy | None,
            Parameter(
                help="A search for each email, the pages of the list, or whichever needs fewer requests (auto).",
                group=_OF_A_FILE,
            ),
        ] = None,
        patience: Annotated[
            float | None,
            Parameter(
                help="Seconds without any answer after which to stop; pauses of the API are not counted.",
                group=_OF_A_FILE,
            ),
        ] = None,
        explain: Annotated[
            bool,
            Parameter(help="Print what each strategy costs, and look nothing up.", negative=(), group=_OF_A_FILE),
        ] = False,
        json: Json = False,
    ) -> int:
        """Show the person with exactly this email, or look up the emails in a file, or on standard input for -.

        Letter case and white space around an email do not count; plus-tags and dots do. The exit code is 1 if an email
        was not found, or is that of several people. An argument with an @ is an email, unless it is the name of a file.

        A file has one email per line; empty lines, and text after a # that follows white space, are skipped. Prints a
        line of JSON for each email as it arrives; progress goes to standard error.

        The run waits through a pause or an outage. Without any answer for --patience seconds it ends with the exit code
        4; if interrupted, with 130. Both write the emails without an answer to the file SOURCE.unanswered
        (emails.unanswered for standard input); pass that file to the next call.

        --strategy scan reads the list until all are found, which proves that the others do not exist; lookup starts
        with the first email, and suits a slow pipe. --explain sends one request at most.
        """
        source = str(email_or_file)
        options = {
            "include": None if include is None else include.split(","),
            "fields": None if fields is None else {name: fields},
            "concurrency": concurrency,
            "ordered": ordered or None,
            "strategy": strategy,
            "patience": patience,
        }
        options = {option: value for option, value in options.items() if value is not None}
        if _is_email(source):
            _refuse([*options, *(["explain"] if explain else [])], "is for a file of emails")
            return on_client(lambda api: _show(api, name, source, site_id=site_id, thorough=thorough, json=json))
        if thorough:
            _refuse(["thorough"], "is for a single email: --strategy scan reads the whole list for those of a file")
        chosen = {"site_id": site_id, **options}
        if explain:
            return on_client(lambda api: _explain(api, name, source, chosen, json=json))
        return on_client(lambda api: _look_up(api, name, source, chosen, json=json))

    return find


def _is_email(text: str) -> bool:
    return "@" in text and not Path(text).exists()


def _refuse(options: list[str], reason: str) -> None:
    if options:
        raise InvalidArgumentError(f"--{options[0]} {reason}")


def _emails_for(name: str) -> Content:
    return Content("emails", "an email", f"{name} find", _ALONE, _COMMENT)


async def _look_up(api: Kajabi, name: str, source: str, options: Mapping[str, Any], *, json: bool) -> int:
    operations: Any = getattr(api, name)

    def start(emails: IdLines, observer: Observer) -> EmailLookups[Any]:
        run: EmailLookups[Any] = operations.find_many(emails, observer=observer, **options)
        return run

    return await look_up_file(start, source, _emails_for(name), json=json)


async def _explain(api: Kajabi, name: str, source: str, options: Mapping[str, Any], *, json: bool) -> None:
    operations: Any = getattr(api, name)
    planned = {option: value for option, value in options.items() if option not in {"ordered", "strategy", "patience"}}
    await explain_file(lambda emails: operations.plan(emails=emails, **planned), source, _emails_for(name), json=json)


async def _show(api: Kajabi, name: str, email: str, *, site_id: str | None, thorough: bool, json: bool) -> None:
    operations: Any = getattr(api, name)
    found = await operations.find_by_email(email, site_id=site_id, thorough=thorough)
    if found is None:
        proof = "" if thorough else "; the search may miss people: --thorough reads the whole list"
        raise KajabiError(f"no one among the {name} has the email {email}{proof}")
    if json:
        print_json(as_members(found))
    else:
        print_resource(output_screen(), found)
