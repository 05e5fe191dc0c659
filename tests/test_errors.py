import copy
import inspect
import pickle
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest

from kajabi_async import errors
from kajabi_async.errors import (
    ApiError,
    DecodeError,
    ErrorObject,
    FieldNotLoadedError,
    KajabiError,
    RequestTimeoutError,
    TimeoutPhase,
    TransportError,
    UnknownFilterError,
    UnreadableAttributeError,
    UntrustedLinkError,
    api_error_class,
)

_STATUSES = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
    500: errors.ServerError,
    502: errors.ServerError,
    503: errors.ServerError,
    599: errors.ServerError,
}
_API_ERROR: dict[str, Any] = {
    "status": 422,
    "errors": (ErrorObject(title="Invalid", source={"pointer": "/data/attributes/email"}),),
    "method": "POST",
    "path": "/v1/contacts",
    "request_id": "r-1",
    "retry_after": 2.5,
    "hint": "Look at the address",
}


def _classes() -> list[type[BaseException]]:
    found = [member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, BaseException)]
    return [member for member in found if member.__module__ == errors.__name__]


CLASSES = [member for member in _classes() if not member.__name__.startswith("_")]


def _descends_from(parent: str) -> Callable[[type[BaseException]], bool]:
    return lambda cls: any(base.__name__ == parent for base in cls.__mro__)


def example(cls: type[Any]) -> KajabiError:
    """Return an error of *cls* with every attribute that it takes."""
    made: KajabiError
    if issubclass(cls, ApiError):
        made = cls(**_API_ERROR)
    elif issubclass(cls, RequestTimeoutError):
        made = cls("no answer", phase="read", seconds=30.0, method="GET", path="/v1/sites")
    elif issubclass(cls, TransportError):
        made = cls("connection reset", method="GET", path="/v1/sites")
    elif issubclass(cls, UnreadableAttributeError):
        made = cls(
            "name",
            resource_type="customers",
            resource_id="1",
            path="data.attributes.name",
            pointer="/data/attributes/name",
            expected="text",
            kind="an array",
        )
    elif issubclass(cls, DecodeError):
        made = cls("not a number", path="data[3].attributes.name", context="GET /v1/sites")
    elif issubclass(cls, UntrustedLinkError):
        made = cls("its host is not the API's", link="https://evil.example/")
    elif issubclass(cls, FieldNotLoadedError):
        made = cls("customers.name was not requested", name="name")
    elif _descends_from("_UnknownNameError")(cls):
        made = cls("emial", owner="customers", known=["name", "email"], cure="Leave it out")
    else:
        made = cls("what went wrong")
    return made.sent(attempts=3, maybe_applied=True)


def attributes(error: KajabiError) -> dict[str, Any]:
    kept = {name: getattr(error, name) for name in dir(error) if not name.startswith("_") and hasattr(error, name)}
    return {name: value for name, value in kept.items() if not callable(value)} | {
        "text": str(error),
        "args": error.args,
    }


def test_exports_every_class_and_nothing_else() -> None:
    """``__all__`` is sorted and complete.

    It names every public error, the error object, and the functions that choose and describe errors.
    """
    names = {cls.__name__ for cls in CLASSES}
    assert errors.__all__ == sorted(errors.__all__)
    assert set(errors.__all__) == names | {"ErrorObject", "GaveUp", "TimeoutPhase", "api_error_class"}


@pytest.mark.parametrize("cls", _classes())
def test_descends_from_the_root(cls: type[BaseException]) -> None:
    """Catching KajabiError catches every error, private classes included, and no other exception."""
    assert issubclass(cls, KajabiError)
    assert issubclass(cls, Exception)


def _drawn() -> dict[str, str]:
    """Return the tree in the module's docstring: class to parent."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^(    [│ ]*(?:[├└]── )?)(\w+Error)\b", line)
        if match:
            depth = (len(match[1]) - 4) // 4
            path = [*path[:depth], match[2]]
            parents[match[2]] = path[depth - 1] if depth else ""
    return parents


def test_is_drawn_as_it_is() -> None:
    """The tree in the docstring has every public class, below its parent."""
    drawn = _drawn()
    assert set(drawn) == {cls.__name__ for cls in CLASSES}
    for cls in CLASSES:
        public_bases = [base.__name__ for base in cls.__mro__[1:] if base in CLASSES]
        assert drawn[cls.__name__] == next(iter(public_bases), "")


@pytest.mark.parametrize(
    ("name", "builtin"),
    re.findall(r"(\w+Error) +\((\w+Error)\)", errors.__doc__ or ""),
)
def test_is_also_the_builtin_error_it_says(name: str, builtin: str) -> None:
    """The builtin error in brackets catches it too."""
    assert issubclass(getattr(errors, name), getattr(__import__("builtins"), builtin))


def test_names_every_builtin_base() -> None:
    """ValueError, AttributeError and TimeoutError are in the drawing, at the classes that first descend from them."""
    assert dict(re.findall(r"(\w+Error) +\((\w+Error)\)", errors.__doc__ or "")) == {
        "InvalidArgumentError": "ValueError",
        "FieldNotLoadedError": "AttributeError",
        "UnreadableAttributeError": "AttributeError",
        "RequestTimeoutError": "TimeoutError",
    }


@pytest.mark.parametrize("cls", CLASSES)
def test_pickles_with_everything_it_carries(cls: type[KajabiError]) -> None:
    """An error crosses processes with its class, text, arguments and every attribute."""
    error = example(cls)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        arrived = pickle.loads(pickle.dumps(error, protocol))
        assert type(arrived) is cls
        assert attributes(arrived) == attributes(error), protocol


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_with_everything_it_carries(cls: type[KajabiError], duplicate: Callable[[Any], Any]) -> None:
    """A copy, which each waiter of a shared request gets, has its own identity and the same content."""
    error = example(cls)
    error.add_note("while listing")
    made = duplicate(error)
    assert made is not error
    assert type(made) is cls
    assert attributes(made) == attributes(error)
    assert made.__notes__ == ["while listing"]


@pytest.mark.parametrize("cls", CLASSES)
def test_says_what_had_been_sent(cls: type[KajabiError]) -> None:
    """At first an error has no attempts and nothing applied; ``sent`` sets both and returns the error."""
    assert (cls.attempts, cls.maybe_applied) == (0, False)
    error = example(cls)
    assert (error.attempts, error.maybe_applied) == (3, True)
    assert (cls.attempts, cls.maybe_applied) == (0, False)


@pytest.mark.parametrize("cls", CLASSES)
def test_says_what_it_stands_for(cls: type[KajabiError]) -> None:
    """Every class has its own docstring, and an instance prints a text that is not empty."""
    assert cls.__dict__.get("__doc__")
    assert str(example(cls)).strip()
    assert cls.__name__ in repr(example(cls))


def test_chooses_the_class_by_the_status() -> None:
    """Statuses with their own class get it, other 5xx are server errors, everything else is an ApiError."""
    others: dict[int, type[ApiError]] = {
        status: errors.ServerError if status >= 500 else ApiError for status in range(300, 620)
    }
    assert {status: api_error_class(status) for status in others} == {**others, **_STATUSES}


@pytest.mark.parametrize("cls", list(dict.fromkeys(_STATUSES.values())))
def test_names_its_status(cls: type[ApiError]) -> None:
    """The docstring of the class begins with its status."""
    statuses = [status for status, of in _STATUSES.items() if of is cls]
    assert (cls.__doc__ or "").startswith("5xx" if cls is errors.ServerError else str(statuses[0]))


def test_ends_a_cause_with_one_full_stop_before_the_hint() -> None:
    """The API's text may end with one."""
    causes = (ErrorObject(title="Unauthorized", detail="The secret is wrong."),)
    error = ApiError(status=401, method="GET", path="/v1/me", errors=causes, hint="Check it")
    assert str(error) == "GET /v1/me was answered 401: Unauthorized: The secret is wrong. Check it"


def test_prints_request_status_causes_hint_and_id() -> None:
    """An API error has the request, the status, the causes, the cure, and the id to report."""
    assert str(ApiError(**_API_ERROR)) == (
        "POST /v1/contacts was answered 422: Invalid (at email). Look at the address [request r-1]"
    )


def test_prints_the_first_errors_of_many() -> None:
    """A long list of causes is kept complete and printed in part."""
    error = ApiError(status=422, errors=[ErrorObject(title=f"cause {number}") for number in range(50)])
    assert len(error.errors) == 50
    assert "cause 4" in str(error)
    assert "cause 5" not in str(error)


@pytest.mark.parametrize(
    ("error_object", "text"),
    [
        (ErrorObject(), "no detail given"),
        (ErrorObject(code="taken"), "taken"),
        (ErrorObject(title="Invalid"), "Invalid"),
        (ErrorObject(detail="is taken"), "is taken"),
        (ErrorObject(title="Invalid", detail="is taken", code="x"), "Invalid: is taken"),
        (ErrorObject(title="Bad", source={"parameter": "sort"}), "Bad (at sort)"),
        (ErrorObject(title="Bad", source={"header": "Accept"}), "Bad"),
    ],
)
def test_prints_an_error_object_as_a_sentence(error_object: ErrorObject, text: str) -> None:
    """Title and detail, else the code, and the place if one is named."""
    assert str(error_object) == text


@pytest.mark.parametrize(
    ("pointer", "field"),
    [
        ("/data/attributes/email", "email"),
        ("/data/attributes/socials/twitter", "socials"),
        ("/data/relationships/site", "site"),
        ("/data/relationships/site/data/id", "site"),
        ("/data/attributes/a~1b~0c~01", "a/b~c~1"),
        ("/data", None),
        ("/data/type", None),
        ("/data/attributes", None),
        ("/meta/attributes/email", None),
        ("data/attributes/email", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_finds_the_field_that_a_pointer_leads_to(pointer: Any, field: str | None) -> None:
    """Row 92: a pointer to an attribute or relation is shown by its name; any other pointer is ignored."""
    assert ErrorObject(source={"pointer": pointer}).field == field


def test_suggests_the_nearest_name() -> None:
    """The error for a misspelt name has the intended one, its owner, and the cure."""
    error = UnknownFilterError("emial_contains", owner="customers", known=["email_contains", "search"], cure="Or extra")
    assert error.nearest == "email_contains"
    assert str(error) == "customers has no filter 'emial_contains'; did you mean 'email_contains'? Or extra"


def test_lists_the_known_names_if_none_is_near() -> None:
    """The error for a name without a near one lists the known names, in alphabetical order."""
    error = errors.UnknownSortKeyError("zzz", owner="sites", known=["title", "subdomain"])
    assert error.nearest is None
    assert str(error) == "sites has no sort key 'zzz'; known are: subdomain, title"


def test_lists_no_more_names_than_one_can_read() -> None:
    """Of many known names the first twelve are printed; the error has all of them."""
    error = UnknownFilterError("zzz", owner="customers", known=[f"name_{number:02}" for number in range(72)])
    assert len(error.known) == 72
    assert str(error).endswith("name_10, name_11, ...")


def test_says_that_there_are_no_names_at_all() -> None:
    """For a resource without any, the error says so."""
    assert (
        str(errors.UnknownIncludeError("site", owner="sites", known=[])) == "sites has no include 'site'; it has none"
    )


def test_takes_names_that_are_no_text() -> None:
    """A key of another type is unknown too, and raises no other exception."""
    odd: Any = 5
    assert str(UnknownFilterError(odd, owner="sites", known=["title"])) == "sites has no filter 5; known are: title"


def test_names_the_request_that_got_no_answer() -> None:
    """A transport error begins with verb and path if they are known."""
    assert str(TransportError("connection reset", method="GET", path="/v1/me")) == "GET /v1/me: connection reset"
    assert str(TransportError("connection reset")) == "connection reset"


@pytest.mark.parametrize("phase", get_args(TimeoutPhase))
def test_knows_whether_a_timeout_came_before_the_request(phase: TimeoutPhase) -> None:
    """Waiting for a slot and connecting come before any byte; reading and the whole operation may not."""
    error = RequestTimeoutError("too slow", phase=phase, seconds=1.0)
    assert error.never_sent is (phase in {"queue", "connect"})


def test_assumes_that_a_broken_connection_may_have_carried_the_request() -> None:
    """Unless the opposite is known, bytes may have been sent."""
    assert errors.ConnectionFailedError("reset").never_sent is False


def test_names_the_answer_and_the_place_that_it_could_not_read() -> None:
    """A decode error names the request, the problem and the place."""
    error = DecodeError("not a number", path="data[3].id", context="GET /v1/sites")
    assert str(error) == "GET /v1/sites: not a number at data[3].id"
    assert str(DecodeError("not a number")) == "not a number"


def test_shortens_a_long_link() -> None:
    """A link of the server is not printed in full length."""
    error = UntrustedLinkError("too long", link="https://x/" + "a" * 10_000)
    assert len(error.link) < 250
    assert error.link in str(error)


def test_passes_for_an_attribute_that_is_not_there() -> None:
    """``getattr`` with a default treats a field that was not loaded as absent."""

    class Model:
        def __getattr__(self, name: str) -> str:
            raise FieldNotLoadedError(f"{name} was not requested", name=name)

    assert getattr(Model(), "email", "unknown") == "unknown"
    assert not hasattr(Model(), "email")


EVIL = "x\x1b]52;c;cm0=\x07\x1b[2J\x9b31m\u202e\nforged: line"


def test_no_error_breaks_a_line_or_acts_on_a_terminal() -> None:
    """Text of the API and links of the server are printed escaped; the attributes keep the original."""
    described = ErrorObject(title=EVIL, detail=EVIL, source={"parameter": EVIL})
    shown: list[Any] = [
        described,
        ApiError(status=400, errors=[described], method="GET", path="/v1/x", request_id="r-1", hint=EVIL),
        DecodeError(EVIL, path=EVIL, context=EVIL),
        UntrustedLinkError(EVIL, link=EVIL),
        TransportError(EVIL, method="GET", path=EVIL),
        UnknownFilterError(EVIL, owner="customers", known=[]),
        FieldNotLoadedError(EVIL, name=EVIL),
        UnreadableAttributeError(
            EVIL, resource_type=EVIL, resource_id=EVIL, path=EVIL, pointer=EVIL, expected="text", kind="null"
        ),
        RequestTimeoutError(EVIL, phase="read", seconds=1.0),
        *(cls(EVIL) for cls in (KajabiError, errors.ExportError, errors.AmbiguousMatchError, errors.PagingError)),
    ]
    for each in shown:
        for text in (str(each), repr(each)):
            assert text.isprintable(), text
    assert r"x\x1b]52;c;cm0=\x07\x1b[2J\x9b31m\u202e\nforged: line" in str(shown[1])
    assert shown[1].errors[0].detail == EVIL
