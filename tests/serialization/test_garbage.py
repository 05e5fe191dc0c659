"""What no `dumps` has written is refused with its place, and makes nothing that is not on the list."""

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajabi_async import (
    AnswerTooLargeError,
    ConfigurationError,
    Customer,
    DecodeError,
    Failed,
    Found,
    GetOrCreated,
    NotFoundError,
    dumps,
    loads,
)
from kajabi_async.jsonapi.decoding import json_array, json_object
from kajabi_async.models import Contact
from tests.models.building import build

_ERROR = NotFoundError(status=404, method="GET", path="/v1/customers/2")
_VALID = json.loads(
    dumps(
        {
            "$kajabi": "taken",
            "found": Found(
                "1", build(Customer, {"name": "Ada", "net_revenue": "1.5", "created_at": "2026-02-01T10:00Z"})
            ),
            "failed": (Failed("2", _ERROR),),
            "made": GetOrCreated(build(Contact, {"name": "Ada"}), created=False),
        }
    )
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["tuple", "resource", "", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$kajabi", "at", "text", "state", "__class__", "sent"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members: list[tuple[Any, Any]] = [*(json_object(value) or {}).items(), *enumerate(json_array(value) or ())]
    return [path, *(found for name, each in members for found in _places(each, (*path, name)))]


def _changed(path: tuple[Any, ...], replacement: Any, *, remove: bool) -> Any:
    document: Any = json.loads(json.dumps(_VALID))
    holder: Any = document
    if not path:
        return replacement
    for step in path[:-1]:
        holder = holder[step]
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = replacement
    return document


@given(st.sampled_from(_places(_VALID)), _ANYTHING, st.booleans())
def test_a_text_that_was_changed_gives_a_value_or_a_decode_error(
    path: tuple[Any, ...], replacement: Any, remove: bool
) -> None:
    """Never another exception: whoever reads a queue handles one."""
    document = _changed(path, replacement, remove=remove)
    try:
        loads(json.dumps(document))
    except DecodeError as error:
        assert str(error).startswith("loads(): ")  # noqa: PT017 - it need not be raised


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"value":1}', "\ud800", b"\xff", "[" * 5000])
def test_what_is_no_text_of_dumps_is_refused(text: Any) -> None:
    """Other JSON among it: a plain value that somebody else wrote is not taken for one of ours."""
    with pytest.raises(DecodeError, match=r"loads\(\): "):
        loads(text)


def test_another_version_of_the_format_is_refused_with_the_cure() -> None:
    """Both sides need to know it."""
    with pytest.raises(DecodeError, match="upgrade the side"):
        loads('{"kajabi_async":2,"value":1,"resources":[]}')


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"$kajabi": "os.system"}, "the kind 'os.system' is not known to this version"),
        ({"$kajabi": "Kajabi", "fields": {}}, "the kind 'Kajabi' is not known"),
        ({"$kajabi": 5}, "a kind must be text at value"),
        ({"$kajabi": "resource", "at": 0}, "a reference to no resource"),
        ({"$kajabi": "decimal", "text": "much"}, "no decimal: 'much' at value.text"),
        ({"$kajabi": "Found", "fields": {"id": "1"}}, "no Found can be made of it"),
        ({"$kajabi": "tuple", "elements": {}}, "an array was expected at value.elements"),
        ([{"$kajabi": "object", "members": [["a"]]}], r"pairs of name and value were expected at value\[0\].members"),
        (
            {"$kajabi": "KajabiError", "arguments": ["x"], "state": {"__class__": "x"}},
            "an error has no attribute '__class__'",
        ),
        ({"$kajabi": "KajabiError", "arguments": ["x"], "state": {"sent": 1}}, "an error has no attribute 'sent'"),
        ({"$kajabi": "KajabiError", "arguments": ["x"], "state": {"attempts": "x"}}, "no KajabiError can be made"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(value: Any, problem: str) -> None:
    """The first thing that cannot be read."""
    with pytest.raises(DecodeError, match=problem):
        loads(json.dumps({"kajabi_async": 1, "value": value, "resources": []}))


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"type": "widgets"}, "the resource type 'widgets' is not known here at resources"),
        ({"attributes": {"id": "1", "shoe_size": 43}}, "Customer has no attribute 'shoe_size' in this version"),
        ({"attributes": {"name": "Ada"}}, "the id must be text"),
        ({"attributes": {"id": "1", "origin": {}}}, "Customer has no attribute 'origin'"),
        ({"relationships": {"offers": {"state": "MAYBE"}}}, "what is known of a relation was expected"),
        ({"related": [["contacts", "7"]]}, "type, id and place were expected"),
    ],
)
def test_a_resource_that_this_version_cannot_hold_is_refused(members: dict[str, Any], problem: str) -> None:
    """Such as one that a newer version of the SDK has written."""
    document = json.loads(dumps(build(Customer, {"name": "Ada"})))
    document["resources"][0] |= members
    with pytest.raises(DecodeError, match=problem):
        loads(json.dumps(document))


def _text(value: str, resources: str = "[]") -> str:
    return f'{{"kajabi_async":1,"resources":{resources},"value":{value}}}'


@pytest.mark.parametrize("name", ["attempts", "status", "args", "characters_written", "errno", "seconds"])
@pytest.mark.parametrize(
    "value", ['{"$kajabi":"decimal","text":"sNaN"}', '{"$kajabi":"decimal","text":"NaN"}', "1" * 4000, "1e308", "[]"]
)
@pytest.mark.parametrize("kind", ["RequestTimeoutError", "ApiError", "InvalidArgumentError", "FieldNotLoadedError"])
def test_an_error_of_odd_state_is_read_or_refused(kind: str, name: str, value: str) -> None:
    """No conversion raises anything of its own, neither at once nor when the error is shown or sent on."""
    try:
        error = loads(_text(f'{{"$kajabi":"{kind}","arguments":["x"],"state":{{"{name}":{value}}}}}'))
    except DecodeError:
        return
    assert repr(error)
    assert str(error) is not None


@pytest.mark.parametrize("depth", [*range(90, 1000, 60), 5_000, 200_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('{"$kajabi":"tuple","elements":[', "]}")]
)
def test_a_text_of_any_depth_is_read_or_refused(opening: str, closing: str, depth: int) -> None:
    """However much of the stack is left."""

    def descend(levels: int) -> None:
        if levels:
            return descend(levels - 1)
        with suppress(DecodeError, ConfigurationError):
            loads(_text(f"{opening * depth}1{closing * depth}"))
        return None

    for levels in (0, 300, 600):
        descend(levels)


def test_the_time_grows_with_the_text_alone() -> None:
    """The place of an element becomes text where something is wrong with it, not for each of them."""
    seconds: list[float] = []
    for size in (20_000, 80_000):
        text = _text(f'{{"{"k" * size}":[{"0," * (size // 2)}0]}}')
        began = time.process_time()
        loads(text)
        seconds.append(time.process_time() - began)
    assert seconds[1] < 4 * 4 * seconds[0] + 0.2


def test_the_place_of_what_is_wrong_is_told_in_brief() -> None:
    """Names may be of any length, and many."""
    for value in (f'{{"{"k" * 10**5}":[0,{{"$kajabi":1}}]}}', f'{"[" * 200}{{"$kajabi":1}}{"]" * 200}'):
        with pytest.raises(DecodeError, match="a kind must be text") as caught:
            loads(_text(value))
        assert caught.value.path.startswith("value")
        assert len(str(caught.value)) < 500


def test_a_text_of_more_elements_than_the_limit_is_refused() -> None:
    """Before anything is made of it; the limit is the caller's to raise."""
    text = _text(f"[{'0,' * 300_000}0]")
    assert len(loads(text)) == 300_001
    with pytest.raises(AnswerTooLargeError, match="more than 250000 elements, the limit that max_elements= sets"):
        loads(text, max_elements=250_000)
    assert len(loads(text, max_elements=300_010)) == 300_001
    with pytest.raises(ConfigurationError, match="max_elements"):
        loads(text, max_elements=0)
