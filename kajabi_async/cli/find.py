"""``kajabi customers find`` and ``kajabi contacts find``: one person by email, or many from a file of emails."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Group, Parameter

from kajabi_async.checks import number, whole_number
from kajabi_async.cli.id_files import Content, IdLines
from kajabi_async.cli.options import Json, Value
from kajabi_async.cli.rendering import as_members, print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.screens import output_screen
from kajabi_async.cli.signatures import ResourceClass
from kajabi_async.errors import InvalidArgumentError, KajabiError
from kajabi_async.fetching.plan import Strategy
from kajabi_async.output import print_json

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi
    from kajabi_async.fetching.lookups import EmailLookups, Observer

__all__ = ["find_command"]

_OF_A_FILE: Final = Group("Options for a file of emails")
_ALONE: Final = "one email is written in place of the file"
_COMMENT: Final = re.compile(r"(?:^|\s)#")
"""An email may have a # in it, but not after white space."""


def find_command(cls: ResourceClass) -> Callable[..., int]:
    """Return the command ``find`` of customers or of contacts."""
    name = str(cls.name)
    relations = ", ".join(sorted(each for each, relation in cls.model.relations.items() if relation.includable))

    def find(
        # A path, so that shells complete file names.
        email_or_file: Annotated[
            Path,
            Parameter(
                help="An email, a file with an email on each line, or a CSV file; - for standard input.",
                allow_leading_hyphen=True,
            ),
        ],
        /,
        *,
        site_id: Annotated[str | None, Parameter(help="The site; KAJABI_SITE_ID by default."), Value("ID")] = None,
        thorough: Annotated[
            bool, Parameter(help="Read the whole list if the search finds none: it misses people.", negative=())
        ] = False,
        column: Annotated[
            str | None,
            Parameter(
                help="The column of the emails in a CSV file, by its name or number; `email` by default.",
                group=_OF_A_FILE,
            ),
            Value("NAME"),
        ] = None,
        include: Annotated[
            str | None, Parameter(help=f"Relations to include: {relations}.", group=_OF_A_FILE), Value("NAME,...")
        ] = None,
        fields: Annotated[
            str | None,
            Parameter(help=f"Attributes of {name} to restrict the answers to.", group=_OF_A_FILE),
            Value("NAME,..."),
        ] = None,
        concurrency: Annotated[
            int | None, Parameter(help="The number of lookups at once.", group=_OF_A_FILE), Value("NUMBER")
        ] = None,
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
            Value("SECONDS"),
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

        A file has one email per line; empty lines, and text after a # that follows white space, are skipped. A CSV
        file, as spreadsheets save it, needs a first line with the names of its columns. Prints a line of JSON for each
        email as it arrives; progress goes to standard error.

        The run waits through a pause or an outage. Without any answer for --patience seconds it ends with the exit code
        4; if interrupted, with 130. Both write the emails without an answer to the file SOURCE.unanswered
        (emails.unanswered for standard input); pass that file to the next call.

        --strategy scan reads the list until all are found, which proves that the others do not exist; lookup starts
        with the first email, and suits a slow pipe. --explain sends one request at most.

        Examples:
          kajabi customers find ada@example.com
          kajabi customers find emails.txt > customers.jsonl
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
            others = {"column": column is not None, "explain": explain}
            _refuse([*options, *(option for option, is_set in others.items() if is_set)], "is for a file of emails")
            return on_client(lambda api: _show(api, name, source, site_id=site_id, thorough=thorough, json=json))
        if thorough:
            _refuse(["thorough"], "is for a single email: --strategy scan reads the whole list for those of a file")
        _check(concurrency, patience)
        content = Content("email", f"{name} find", _ALONE, _COMMENT, column)
        chosen = {"site_id": site_id, **options}
        if explain:
            return on_client(lambda api: _explain(getattr(api, name), source, content, chosen, json=json))
        return on_client(lambda api: _look_up(getattr(api, name), source, content, chosen, json=json))

    find.__doc__ = (find.__doc__ or "").replace("customers", name)
    return find


def _is_email(text: str) -> bool:
    return "@" in text and not Path(text).exists()


def _refuse(options: list[str], reason: str) -> None:
    if options:
        raise InvalidArgumentError(f"--{options[0]} {reason}")


def _check(concurrency: int | None, patience: float | None) -> None:
    if concurrency is not None:
        whole_number(concurrency, of="--concurrency", at_most=None)
    if patience is not None:
        number(patience, of="--patience", expected="a positive number of seconds", fits=lambda it: it > 0)


async def _look_up(operations: Any, source: str, content: Content, options: dict[str, Any], *, json: bool) -> int:
    # Imported here and below, as it needs the client: a refused argument does not.
    from kajabi_async.cli.lookup import look_up_file  # noqa: PLC0415

    def start(emails: IdLines, observer: "Observer") -> "EmailLookups[Any]":
        run: EmailLookups[Any] = operations.find_many(emails, observer=observer, **options)
        return run

    return await look_up_file(start, source, content, json=json)


async def _explain(operations: Any, source: str, content: Content, options: dict[str, Any], *, json: bool) -> None:
    from kajabi_async.cli.lookup import explain_file  # noqa: PLC0415

    planned = {option: value for option, value in options.items() if option not in {"ordered", "strategy", "patience"}}
    await explain_file(lambda emails: operations.plan(emails=emails, **planned), source, content, json=json)


async def _show(api: "Kajabi", name: str, email: str, *, site_id: str | None, thorough: bool, json: bool) -> None:
    operations: Any = getattr(api, name)
    found = await operations.find_by_email(email, site_id=site_id, thorough=thorough)
    if found is None:
        proof = "" if thorough else "; the search may miss people: --thorough reads the whole list"
        raise KajabiError(f"no one among the {name} has the email {email}{proof}")
    if json:
        print_json(as_members(found))
    else:
        print_resource(output_screen(), found)
