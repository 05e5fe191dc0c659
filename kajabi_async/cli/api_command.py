"""``kajabi api METHOD PATH``: any request to the API, with the same token, limits and errors as every command."""

import json as json_library
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

from cyclopts import Parameter

from kajabi_async.cli.confirming import confirm
from kajabi_async.cli.options import Metavar, Yes
from kajabi_async.cli.running import on_client
from kajabi_async.cli.usage import misuse
from kajabi_async.errors import ConfigurationError, InvalidArgumentError, PagingError
from kajabi_async.exchange import METHODS
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.operations import operation_at
from kajabi_async.output import flush, print_json

if TYPE_CHECKING:
    from kajabi_async.client import Kajabi

__all__ = ["api"]

_UNDOABLE: Final = frozenset(
    {
        "contacts.create",
        "contacts.update",
        "contacts.POST.tags",
        "contact_notes.create",
        "contact_notes.update",
        "hooks.create",
        "purchases.deactivate",
        "purchases.reactivate",
    }
)
"""The writes that another write undoes; the others delete, cancel, revoke or send mail, or are unknown here."""
_INDENT: Final = 2

_Parameters = Annotated[
    list[str] | None,
    Parameter(name="--param", help="A parameter of the query; may be repeated.", negative=()),
    Metavar("NAME=VALUE"),
]
_Fields = Annotated[
    list[str] | None,
    Parameter(
        name="--field",
        help="A member of the body, such as data[type]=contacts; true, false, null and numbers are JSON. "
        "May be repeated.",
        negative=(),
    ),
    Metavar("NAME=VALUE"),
]
_Input = Annotated[
    str | None,
    Parameter(name="--input", help="A file with the body as JSON; - for standard input.", allow_leading_hyphen=True),
    Metavar("FILE"),
]


def api(
    method: Annotated[
        str,
        Parameter(help="GET, POST, PATCH, PUT or DELETE; by default GET, and POST with a body."),
        Metavar("[METHOD]"),
    ] = "",
    path: Annotated[str, Parameter(help="The path, which begins with /v1/."), Metavar("PATH")] = "",
    /,
    *,
    param: _Parameters = None,
    field: _Fields = None,
    input: _Input = None,
    paginate: Annotated[
        bool, Parameter(help="Follow the pages of a list, and print a line for each page.", negative=())
    ] = False,
    yes: Yes = False,
    json: Annotated[bool, Parameter(name="--json", help="Print one line; errors as JSON, too.", negative=())] = False,
) -> int:
    """Send a request to the API and print its answer as JSON; the method may be left out.

    The path begins with /v1/ and is always one of the API's own host. A write that no other undoes, such as DELETE,
    asks first, unless --yes is set. The exit code is that of the answer: 1 for 404, 3 for other 4xx, 4 for 5xx.

    Examples:
      kajabi api /v1/customers --param 'filter[search]=ada' --param 'page[size]=5'
      kajabi api POST /v1/contacts --input contact.json
    """
    verb, target = _verb_and_path(method, path, has_body=bool(field) or input is not None)
    target, parameters = _without_query(target, [_pair(each, "--param") for each in param or ()])
    body = _body(field or (), input)
    _check(verb, paginate=paginate, has_body=body is not None)

    async def send(client: "Kajabi") -> None:
        if verb != "GET":
            confirm(f"send {verb} {target}", yes=yes or _can_be_undone(verb, target))
        if paginate:
            await _print_pages(client, target, parameters)
        else:
            _print(await client.request(verb, target, params=parameters, json=body), on_one_line=json)

    return on_client(send)


def _verb_and_path(method: str, path: str, *, has_body: bool) -> tuple[str, str]:
    if not method:
        raise misuse("Missing argument: PATH.", ["api"])
    if not path and method.upper() not in METHODS:
        method, path = ("POST" if has_body else "GET"), method
    verb = method.upper()
    if verb not in METHODS:
        raise InvalidArgumentError(f"the method must be one of {', '.join(METHODS)}, got {method[:40]!r}")
    if not path:
        raise InvalidArgumentError(f"{verb} needs a path, such as `kajabi api {verb} /v1/customers`")
    if not path.startswith("/v1/") or path.startswith("//"):
        raise InvalidArgumentError(
            f"the path must begin with /v1/, got {path[:80]!r}: requests go to no host but the API's, "
            "which KAJABI_BASE_URL sets"
        )
    return verb, path


def _check(verb: str, *, paginate: bool, has_body: bool) -> None:
    if paginate and verb != "GET":
        raise InvalidArgumentError("--paginate follows the pages of a GET")
    if verb == "GET" and has_body:
        raise InvalidArgumentError("a GET has no body: --param sets the query")


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidArgumentError(f"{option} takes NAME=VALUE, got {text[:60]!r}")
    return name, value


def _without_query(path: str, parameters: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    """Return the path and the parameters, with those that were typed after a ``?`` of the path in front."""
    path, _, query = path.partition("?")
    return path, [*parse_qsl(query, keep_blank_values=True), *parameters]


def _body(fields: Sequence[str], source: str | None) -> Any:
    if source is None:
        return _nested(fields) if fields else None
    if fields:
        raise InvalidArgumentError("--field and --input both set the body: use one of them")
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
        return json_library.loads(text)
    except OSError as error:
        raise ConfigurationError(f"cannot read {source} ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise InvalidArgumentError(f"--input {source} is not JSON") from None


def _nested(fields: Sequence[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in (_pair(each, "--field") for each in fields):
        first, *rest = name.replace("]", "").split("[")
        *parents, last = (first, *rest)
        place = body
        for step in parents:
            inner = json_object(place.setdefault(step, {}))
            if inner is None:
                raise InvalidArgumentError(f"--field {name}: {step} has a value already")
            place = inner
        if not last or last in place:
            raise InvalidArgumentError(f"--field {name} is set twice, or names nothing")
        place[last] = _member(value)
    return body


def _member(text: str) -> Any:
    try:
        value = json_library.loads(text)
    except (ValueError, RecursionError):
        return text
    # Only a word or a number is meant as JSON: text that starts with a bracket is text.
    return value if value is None or isinstance(value, bool | int | float) else text


def _can_be_undone(verb: str, path: str) -> bool:
    found = operation_at(verb, path)
    return found is not None and found[0].name in _UNDOABLE


async def _print_pages(client: "Kajabi", path: str, parameters: list[tuple[str, str]]) -> None:
    """Print each page of a list on a line of its own; of ``links.next`` only the query counts, never the host."""
    seen: set[str] = set()
    while True:
        page = await client.request("GET", path, params=parameters)
        print_json(page)
        flush()
        query = _next_query(page)
        if query is None:
            return
        if query in seen:
            raise PagingError("the pages go round in circles: the next one was printed already")
        seen.add(query)
        parameters = parse_qsl(query, keep_blank_values=True)


def _next_query(page: Any) -> str | None:
    links = json_object((json_object(page) or {}).get("links")) or {}
    link = links.get("next")
    return urlsplit(link).query if isinstance(link, str) and link else None


def _print(answer: Any, *, on_one_line: bool) -> None:
    if answer is not None:
        print_json(answer, indent=None if on_one_line or not sys.stdout.isatty() else _INDENT)
