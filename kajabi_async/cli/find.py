"""``kajabi customers find`` and ``kajabi contacts find``: one person by email, or many from a file of emails."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cyclopts import Group

from kajabi_async.cli.lookup import bulk_options, file_argument, look_up_all
from kajabi_async.cli.rendering import print_resource
from kajabi_async.cli.running import on_client
from kajabi_async.cli.signatures import ResourceClass, flag, option, typed_options, with_signature
from kajabi_async.cli.value_lines import Content
from kajabi_async.errors import InvalidArgumentError, KajabiError

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["find_command"]

_HELP: Final = """Show the person with exactly this email, or look up the emails in a file.

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
  kajabi {name} find ada@example.com
  kajabi {name} find emails.txt > {name}.jsonl
"""
_OF_A_FILE: Final = Group("Options for a file of emails")
_ALONE: Final = "a single email has an @"
_COMMENT: Final = re.compile(r"(?:^|\s)#")
"""An email may have a # in it, but not after white space."""
_STRATEGIES: Final = (
    "A search for each email, the pages of the list, or whichever needs fewer requests (auto); auto by default."
)


def find_command(cls: ResourceClass) -> Any:
    """Return the command ``find`` of customers or of contacts."""
    name = str(cls.name)

    def find(
        email_or_file: Path, *, site_id: str | None = None, thorough: bool = False, json: bool = False, **given: Any
    ) -> int:
        source = str(email_or_file)
        options = typed_options(cls, given)
        if _is_email(source):
            if options:
                raise InvalidArgumentError(f"--{next(iter(options))} is for a file of emails")
            return on_client(lambda api: _show(api, name, source, site_id=site_id, thorough=thorough, json=json))
        if thorough:
            raise InvalidArgumentError(
                "--thorough is for a single email: --strategy scan reads the whole list for those of a file"
            )
        return look_up_all(cls, "find_many", source, _content(name), {"site_id": site_id, **options}, json=json)

    return with_signature(find, _HELP.replace("{name}", name), _parameters(cls))


def _parameters(cls: ResourceClass) -> Iterator[inspect.Parameter]:
    text = "An email, or a file with an email on each line or in a column; - for standard input."
    yield file_argument("email_or_file", text)
    yield option("site_id", str | None, "The site; KAJABI_SITE_ID by default.", word="ID")
    text = "Read the whole list if the search, which misses people, finds none."
    yield flag("thorough", text)
    yield from bulk_options(cls, _content(str(cls.name)), strategies=_STRATEGIES, group=_OF_A_FILE)
    text = "Print one line of JSON; for a file, the report, the plan and errors, too."
    yield flag("json", text)


def _content(name: str) -> Content:
    return Content("email", f"{name} find", _ALONE, _COMMENT)


def _is_email(text: str) -> bool:
    return "@" in text and not Path(text).exists()


async def _show(api: "Kajabi", name: str, email: str, *, site_id: str | None, thorough: bool, json: bool) -> None:
    operations: Any = getattr(api, name)
    found = await operations.find_by_email(email, site_id=site_id, thorough=thorough)
    if found is None:
        proof = "" if thorough else "; the search may miss people: --thorough reads the whole list"
        raise KajabiError(f"no one among the {name} has the email {email}{proof}")
    print_resource(found, json=json)
