"""Any text that `dumps` did not write is rejected with a path, and creates only registered classes."""

import inspect
import json
import re
import sys
import time
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
    InvalidArgumentError,
    NotFoundError,
    dumps,
    loads,
)
from kajabi_async.jsonapi.codec import json_array, json_object
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


def _relation(**members: Any) -> dict[str, Any]:
    return {"relationships": {"offers": {"state": "TO_MANY", "identifiers": [], **members}}}


def _tuple(*elements: Any) -> dict[str, Any]:
    return {"$kajabi": "tuple", "elements": [*elements]}


def _unreadable(description: Any) -> dict[str, Any]:
    return {"unreadable": {"name": description}}


_NO_DESCRIPTION = "the description of an unreadable attribute was expected"


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
    """Never another exception: a consumer of a queue handles only this one."""
    document = _changed(path, replacement, remove=remove)
    try:
        loads(json.dumps(document))
    except DecodeError as error:
        assert str(error).startswith("loads(): ")  # noqa: PT017 - it need not be raised


@pytest.mark.parametrize("text", ["null", "[]", "{}", '{"value":1}', "\ud800"])
def test_what_is_no_text_of_dumps_is_refused(text: Any) -> None:
    """Other JSON too: a plain value of another program is not taken for a text of `dumps`."""
    with pytest.raises(DecodeError, match=r"^loads\(\): this is no text of dumps\(\)$") as caught:
        loads(text)
    assert caught.value.path == ""


@pytest.mark.parametrize("text", [None, 5, ["{}"], bytearray(b"{}")])
def test_only_text_and_bytes_are_read(text: Any) -> None:
    """A mistake of the caller and not of the text, so no DecodeError; it names the type."""
    with pytest.raises(InvalidArgumentError, match=rf"^loads\(\) takes text or bytes, got {type(text).__name__}$"):
        loads(text)


@pytest.mark.parametrize("text", ["", b"\xff", "[" * 5000, '{"kajabi_async": 1'])
def test_what_is_no_json_is_refused(text: Any) -> None:
    """Also JSON that is nested too deeply."""
    with pytest.raises(DecodeError, match=r"^loads\(\): "):
        loads(text)


def test_a_value_that_is_nested_too_deeply_for_python_is_refused() -> None:
    """The limit depends on the depth of the caller's stack."""
    deep: Any = json.loads(dumps(1))
    for _ in range(100):
        deep["value"] = {"$kajabi": "tuple", "elements": [deep["value"]]}
    text = json.dumps(deep)
    frames = len(inspect.stack(0))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(frames + 300)
    try:
        with pytest.raises(DecodeError, match=r"^loads\(\): nested too deeply$") as caught:
            loads(text)
    finally:
        sys.setrecursionlimit(limit)
    assert caught.value.path == ""


@pytest.mark.parametrize("version", ["2", "0", "-1", "1.0", "true", '"1"', "null"])
def test_another_version_of_the_format_is_refused_with_the_cure(version: str) -> None:
    """The error says to upgrade one of the two sides."""
    with pytest.raises(DecodeError, match="upgrade the side") as caught:
        loads(f'{{"kajabi_async":{version},"value":1,"resources":[]}}')
    assert caught.value.path == "kajabi_async"


_LONG = "x" * 70
_SHOWN = "x" * 60


@pytest.mark.parametrize(
    ("value", "problem", "path"),
    [
        ({"$kajabi": "os.system"}, "the kind 'os.system' is not known to this version", "value"),
        ({"$kajabi": "Kajabi", "fields": {}}, "the kind 'Kajabi' is not known", "value"),
        ({"$kajabi": _LONG}, f"the kind '{_SHOWN}' is not known", "value"),
        ([{"a": {"$kajabi": 5}}], "a kind must be text", "value[0].a"),
        ({"$kajabi": "resource", "at": 0}, "a reference to no resource", "value"),
        ({"$kajabi": "decimal", "text": "much"}, "no decimal: 'much'", "value.text"),
        ({"$kajabi": "date", "text": _LONG}, f"no date: '{_SHOWN}'", "value.text"),
        ({"$kajabi": "datetime", "text": 5}, "text was expected", "value.text"),
        ({"$kajabi": "Found", "fields": [1]}, "an object was expected", "value.fields"),
        ({"$kajabi": "Found", "fields": {"id": {"$kajabi": "x"}}}, "the kind 'x' is not known", "value.fields.id"),
        (
            {"$kajabi": "Found", "fields": {"id": "1"}},
            "no Found can be made of it: Found.__init__() mis",
            "value.fields",
        ),
        ({"$kajabi": "GetOrCreated"}, "an object was expected", "value.fields"),
        ({"$kajabi": "GetOrCreated", "fields": {"created": True}}, "contact and created were", "value.fields"),
        ({"$kajabi": "tuple", "elements": {}}, "an array was expected", "value.elements"),
        ({"$kajabi": "tuple", "elements": [1, {"$kajabi": 5}]}, "a kind must be text", "value.elements[1]"),
        ({"$kajabi": "object"}, "an array was expected", "value.members"),
        ({"$kajabi": "object", "members": [5]}, "an array was expected", "value.members"),
        ([{"$kajabi": "object", "members": [["a"]]}], "pairs of name and value were expected", "value[0].members"),
        ({"$kajabi": "object", "members": [[1, 2]]}, "text was expected", "value"),
        ({"$kajabi": "object", "members": [[{"$kajabi": 5}, 2]]}, "a kind must be text", "value"),
        ({"$kajabi": "object", "members": [["a", {"$kajabi": 5}]]}, "a kind must be text", "value.members"),
    ],
)
def test_an_invalid_text_is_reported_with_its_path(value: Any, problem: str, path: str) -> None:
    """Of the first invalid part; long texts are shortened."""
    _refused({"kajabi_async": 1, "value": value, "resources": []}, problem, path)


@pytest.mark.parametrize(
    ("members", "problem", "path"),
    [
        ({"arguments": {}}, "an array was expected", "value.arguments"),
        ({"arguments": [{"$kajabi": 5}]}, "a kind must be text", "value.arguments"),
        ({"state": []}, "an object was expected", "value.state"),
        ({"state": {"__class__": "x"}}, "an error has no attribute '__class__'", "value.state"),
        ({"state": {"__cause__": "x"}}, "an error has no attribute '__cause__'", "value.state"),
        ({"state": {"_hidden": "x"}}, "an error has no attribute '_hidden'", "value.state"),
        ({"state": {f"_{_LONG}": "x"}}, f"an error has no attribute '_{_SHOWN[1:]}'", "value.state"),
        ({"state": {"sent": 1}}, "an error has no attribute 'sent'", "value.state"),
        ({"state": {"attempts": "x"}}, "no KajabiError can be made of it: '>' not supported", "value.state"),
    ],
)
def test_an_error_is_made_of_data_alone(members: dict[str, Any], problem: str, path: str) -> None:
    """No attribute of its class is replaced, and no private one is set."""
    value: dict[str, Any] = {"$kajabi": "KajabiError", "arguments": ["x"], "state": {}, **members}
    _refused({"kajabi_async": 1, "value": value, "resources": []}, problem, path)


@pytest.mark.parametrize(
    ("members", "problem", "place"),
    [
        ({"type": "widgets"}, "the resource type 'widgets' is not known here", ".type"),
        ({"type": _LONG}, f"the resource type '{_SHOWN[:38]}", ".type"),
        ({"type": ["contacts"]}, "is not known here", ".type"),
        ({"type": 5, "untyped": True, "attributes": {"id": "1"}}, "text was expected", ".type"),
        ({"attributes": []}, "an object was expected", ".attributes"),
        ({"attributes": {"id": "1", "name": {"$kajabi": 5}}}, "a kind must be text", ".attributes.name"),
        ({"attributes": {"id": "1", "shoe_size": 43}}, "Customer has no attribute 'shoe_size' in this", ".attributes"),
        ({"attributes": {"id": "1", _LONG: 43}}, f"Customer has no attribute '{_SHOWN}' in this", ".attributes"),
        ({"attributes": {"id": "1", "origin": {}}}, "Customer has no attribute 'origin'", ".attributes"),
        ({"attributes": {"name": "Ada"}}, "the id must be text", ".attributes.id"),
        ({"relationships": []}, "an object was expected", ".relationships"),
        ({"relationships": {"offers": 5}}, "an object was expected", ".relationships.offers"),
        ({"relationships": {"offers": {"state": "MAYBE"}}}, "the state of a relation", ".relationships.offers.state"),
        (_relation(self=5), "a link must be text", ".relationships.offers"),
        (_relation(related=5), "a link must be text", ".relationships.offers"),
        (_relation(identifiers={}), "an array was expected", ".relationships.offers.identifiers"),
        (_relation(identifiers=[5]), "an array was expected", ".relationships.offers.identifiers"),
        (_relation(identifiers=[["offers"]]), "pairs of type and id", ".relationships.offers.identifiers"),
        (_relation(identifiers=[["offers", 4]]), "pairs of type and id", ".relationships.offers.identifiers"),
        (_relation(identifiers=[["offers", "4", "5"]]), "pairs of type and id", ".relationships.offers.identifiers"),
        ({"related": {}}, "an array was expected", ".related"),
        ({"related": [5]}, "an array was expected", ".related"),
        ({"related": [["contacts", "7"]]}, "type, id and index were expected", ".related"),
        ({"related": [["contacts", "7", 2]]}, "a reference to no resource", ".related"),
        ({"related": [["contacts", "7", -1]]}, "a reference to no resource", ".related"),
        ({"related": [["contacts", "7", True]]}, "a reference to no resource", ".related"),
        ({"related": [[5, "7", 0]]}, "text was expected", ".related"),
        ({"related": [["contacts", 7, 0]]}, "text was expected", ".related"),
        ({"extra": []}, "an object was expected", ".extra"),
        ({"links": []}, "an object was expected", ".links"),
        ({"meta": []}, "an object was expected", ".meta"),
        ({"unreadable": []}, "an object was expected", ".unreadable"),
        (_unreadable(5), _NO_DESCRIPTION, ".unreadable.name"),
        (_unreadable(_tuple("text", "an array")), _NO_DESCRIPTION, ".unreadable.name"),
        (_unreadable(_tuple(5, "an array", _tuple())), _NO_DESCRIPTION, ".unreadable.name"),
        (_unreadable(_tuple("text", None, _tuple())), _NO_DESCRIPTION, ".unreadable.name"),
        (_unreadable(_tuple("text", "an array", ["data"])), _NO_DESCRIPTION, ".unreadable.name"),
        (_unreadable(_tuple("text", "an array", _tuple("data", 1.5))), _NO_DESCRIPTION, ".unreadable.name"),
    ],
)
def test_a_resource_that_this_version_cannot_hold_is_refused(members: dict[str, Any], problem: str, place: str) -> None:
    """Such as one written by a newer version of the SDK."""
    document = json.loads(dumps([build(Customer, {"name": "Ada"}), build(Customer, {"name": "Grace"})]))
    document["resources"][1] |= members
    _refused(document, problem, f"resources[1]{place}")


@pytest.mark.parametrize(("resources", "path"), [(None, "resources"), ({}, "resources"), ([5], "resources[0]")])
def test_invalid_resources_are_refused(resources: Any, path: str) -> None:
    """They are read before the values that refer to them."""
    _refused({"kajabi_async": 1, "value": 1, "resources": resources}, "was expected", path)


@pytest.mark.parametrize("fields", [{"contact": 5}, {"created": 1}])
def test_get_or_created_needs_a_contact_and_a_boolean(fields: dict[str, Any]) -> None:
    """Other types are rejected."""
    document = json.loads(dumps(GetOrCreated(build(Contact, {"name": "Ada"}), created=True)))
    document["value"]["fields"] |= fields
    _refused(document, "contact and created were expected", "value.fields")


def _refused(document: Any, problem: str, path: str) -> None:
    with pytest.raises(DecodeError, match=re.escape(problem)) as caught:
        loads(json.dumps(document))
    assert caught.value.path == path
    assert f" at {path}" in str(caught.value)


def _text(value: str, resources: str = "[]") -> str:
    return f'{{"kajabi_async":1,"resources":{resources},"value":{value}}}'


@pytest.mark.parametrize("name", ["attempts", "status", "args", "characters_written", "errno", "seconds"])
@pytest.mark.parametrize(
    "value", ['{"$kajabi":"decimal","text":"sNaN"}', '{"$kajabi":"decimal","text":"NaN"}', "1" * 4000, "1e308", "[]"]
)
@pytest.mark.parametrize(
    "kind",
    [
        "RequestTimeoutError",
        "ApiError",
        "InvalidArgumentError",
        "FieldNotLoadedError",
        "UnreadableAttributeError",
    ],
)
def test_an_error_of_odd_state_is_read_or_refused(kind: str, name: str, value: str) -> None:
    """No conversion raises another exception, neither now nor when the error is shown or written."""
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
    """With any amount of free stack; what is read has the depth of the text."""

    def descend(levels: int) -> Any:
        if levels:
            return descend(levels - 1)
        try:
            return loads(_text(f"{opening * depth}1{closing * depth}"))
        except (DecodeError, ConfigurationError):
            return None

    for levels in (0, 300, 600):
        value, passed = descend(levels), 0
        assert (value is None) >= (depth >= 5_000), "a text of this depth cannot be read"
        while isinstance(value, dict | list | tuple):
            (value,) = value.values() if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            passed += 1
        assert (value, passed) in {(1, depth), (None, 0)}


def test_the_time_grows_with_the_text_alone() -> None:
    """The path of an element is formatted for an error only, not for each of them."""
    seconds: list[float] = []
    for size in (20_000, 80_000):
        text = _text(f'{{"{"k" * size}":[{"0," * (size // 2)}0]}}')
        began = time.process_time()
        loads(text)
        seconds.append(time.process_time() - began)
    assert seconds[1] < 4 * 4 * seconds[0] + 0.2


def test_the_path_in_an_error_is_short() -> None:
    """Names may be long, and many."""
    for value in (f'{{"{"k" * 10**5}":[0,{{"$kajabi":1}}]}}', f'{"[" * 200}{{"$kajabi":1}}{"]" * 200}'):
        with pytest.raises(DecodeError, match="a kind must be text") as caught:
            loads(_text(value))
        assert caught.value.path.startswith("value")
        assert len(str(caught.value)) < 500


def test_a_text_of_more_elements_than_the_limit_is_refused() -> None:
    """Before anything is created; the caller can raise the limit."""
    text = _text(f"[{'0,' * 300_000}0]")
    assert len(loads(text)) == 300_001
    with pytest.raises(
        AnswerTooLargeError, match=r"^loads\(\): .*more than 250000 elements, the limit that max_elements= sets"
    ):
        loads(text, max_elements=250_000)
    assert len(loads(text, max_elements=300_010)) == 300_001
    assert loads(_text("1"), max_elements=10**18) == 1
    with pytest.raises(ConfigurationError, match=r"^max_elements must be a whole number"):
        loads(text, max_elements=0)
