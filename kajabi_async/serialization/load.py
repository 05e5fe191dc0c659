"""Text to values: the inverse of `dump`, which creates only objects of registered classes."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeGuard

from kajabi_async.checks import whole_number
from kajabi_async.errors import AnswerTooLargeError, ConfigurationError, DecodeError, InvalidArgumentError, KajabiError
from kajabi_async.jsonapi.codec import brief, decode_text, json_array, json_object
from kajabi_async.jsonapi.limits import excess_in
from kajabi_async.jsonapi.linkage import Identifier, LinkageState, Relationship
from kajabi_async.models.people import Contact
from kajabi_async.models.resource import MODELS, Resource, UntypedResource, attribute_names
from kajabi_async.models.unreadable import Steps, Unreadable
from kajabi_async.resources.people import GetOrCreated
from kajabi_async.serialization.registry import ERRORS, FORMAT, KIND, RECORDS, VERSION

__all__ = ["loads"]

_CONTEXT: Final = "loads()"
_MAX_ELEMENTS: Final = 10_000_000
_MAX_STEP_LENGTH: Final = 60
_MAX_PATH_LENGTH: Final = 300
_MAX_REASON_LENGTH: Final = 200

_Path = tuple["_Path | None", str | int]
"""A path in the text: the path of the parent, and the name or index in it. It is formatted for an error only, since
names may be long and elements many."""


def loads(text: str | bytes, *, max_elements: int = _MAX_ELEMENTS) -> Any:
    """Return the value that `dumps` wrote; DecodeError, with the path, if ``text`` is anything else.

    The text can import nothing and run no code. Resources have no client: awaiting a relation that is not in the text
    raises RelationshipUnavailableError. AnswerTooLargeError, a DecodeError, if the text has more than ``max_elements``,
    counted as for an answer; a customer has about eighty, and twenty arrays and objects.
    """
    limit = whole_number(max_elements, of="max_elements", at_most=None, error=ConfigurationError)
    written = _bytes(text)
    if excess := excess_in(written, limit, "max_elements"):
        raise AnswerTooLargeError(excess, context=_CONTEXT)
    try:
        return _read(written)
    except RecursionError:
        raise _wrong("nested too deeply", None) from None


def _read(written: bytes) -> Any:
    document = json_object(decode_text(written, context=_CONTEXT))
    if document is None or FORMAT not in document:
        raise _wrong("this is no text of dumps()", None)
    version = document[FORMAT]
    if type(version) is not int or version != VERSION:
        problem = f"version {VERSION} of the format was expected; upgrade the side that has the older kajabi_async"
        raise _wrong(problem, (None, FORMAT))
    loader = _Loader(_array(document.get("resources"), (None, "resources")))
    return loader.value(document.get("value"), (None, "value"))


class _Loader:
    """A reader of one text; it creates all resources before it fills them, as they refer to each other."""

    def __init__(self, written: list[Any]) -> None:
        self._readers: dict[str, Callable[[Mapping[str, Any], _Path], Any]] = {
            "GetOrCreated": self._get_or_created,
            "object": self._wrapped,
            "resource": self._resource,
            "tuple": self._tuple,
        }
        members = [(_object(each, _resource_path(index)), _resource_path(index)) for index, each in enumerate(written)]
        self._resources = [_blank(each, path) for each, path in members]
        for resource, (each, path) in zip(self._resources, members, strict=True):
            self._fill(resource, each, path)

    def value(self, value: Any, path: _Path) -> Any:
        array = json_array(value)
        if array is not None:
            return [self.value(each, (path, index)) for index, each in enumerate(array)]
        members = json_object(value)
        if members is None:
            return value
        if KIND not in members:
            return {name: self.value(each, (path, name)) for name, each in members.items()}
        return self._named(members[KIND], members, path)

    def _named(self, kind: Any, members: Mapping[str, Any], path: _Path) -> Any:
        if not isinstance(kind, str):
            raise _wrong("a kind must be text", path)
        if kind in self._readers:
            return self._readers[kind](members, path)
        if kind in _PARSERS:
            return _parsed(kind, members.get("text"), path)
        if kind in ERRORS:
            return self._error(ERRORS[kind], members, path)
        if kind in RECORDS:
            return _record(RECORDS[kind], self._mapping(members.get("fields"), (path, "fields")), path)
        raise _wrong(f"the kind {kind[:60]!r} is not known to this version of kajabi_async", path)

    def _mapping(self, written: Any, path: _Path) -> dict[str, Any]:
        mapping: Any = self.value(written, path)
        return _object(mapping, path)

    def _resource(self, members: Mapping[str, Any], path: _Path) -> Resource:
        return self._resource_at(members.get("at"), path)

    def _resource_at(self, index: Any, path: _Path) -> Resource:
        if type(index) is not int or not 0 <= index < len(self._resources):
            raise _wrong("a reference to no resource of the text", path)
        return self._resources[index]

    def _get_or_created(self, members: Mapping[str, Any], path: _Path) -> GetOrCreated:
        fields = self._mapping(members.get("fields"), (path, "fields"))
        contact, created = fields.get("contact"), fields.get("created")
        if not isinstance(contact, Contact) or not isinstance(created, bool):
            raise _wrong("contact and created were expected", (path, "fields"))
        return GetOrCreated(contact, created)

    def _tuple(self, members: Mapping[str, Any], path: _Path) -> tuple[Any, ...]:
        elements = _array(members.get("elements"), (path, "elements"))
        return tuple(self.value(each, ((path, "elements"), index)) for index, each in enumerate(elements))

    def _wrapped(self, members: Mapping[str, Any], path: _Path) -> dict[str, Any]:
        pairs = [_array(pair, (path, "members")) for pair in _array(members.get("members"), (path, "members"))]
        if any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004 - name and value
            raise _wrong("pairs of name and value were expected", (path, "members"))
        return {self._text_of(name, path): self.value(value, (path, "members")) for name, value in pairs}

    def _text_of(self, written: Any, path: _Path) -> str:
        text: Any = self.value(written, path)
        if not isinstance(text, str):
            raise _wrong("text was expected", path)
        return text

    def _error(self, cls: type[KajabiError], members: Mapping[str, Any], path: _Path) -> KajabiError:
        arguments = _array(members.get("arguments"), (path, "arguments"))
        args = tuple(self.value(each, (path, "arguments")) for each in arguments)
        state = self._mapping(members.get("state"), (path, "state"))
        error = cls.__new__(cls, *args)
        error.args = args
        try:
            for name, value in state.items():
                # Only data: no attribute of the class, such as its name or a method, is replaced.
                if (name.startswith("_") and name != "__notes__") or callable(getattr(cls, name, None)):
                    raise _wrong(f"an error has no attribute {name[:60]!r}", (path, "state"))
                setattr(error, name, value)
            str(error)
        except (AttributeError, TypeError, ValueError, ArithmeticError) as reason:
            problem = f"no {cls.__name__} can be made of it: {str(reason)[:_MAX_REASON_LENGTH]}"
            raise _wrong(problem, (path, "state")) from None
        return error

    def _fill(self, resource: Resource, members: dict[str, Any], path: _Path) -> None:
        attributes = self._mapping(members.get("attributes"), (path, "attributes"))
        unknown = sorted(attributes.keys() - attribute_names(type(resource)).keys())
        if unknown:
            problem = f"{type(resource).__name__} has no attribute {unknown[0][:60]!r} in this version of kajabi_async"
            raise _wrong(problem, (path, "attributes"))
        if not isinstance(attributes.get("id"), str):
            raise _wrong("the id must be text", ((path, "attributes"), "id"))
        relationships = self._mapping(members.get("relationships"), (path, "relationships"))
        resource.__setstate__(
            {
                "resource_type": self._text_of(members.get("type"), (path, "type")),
                "attributes": attributes,
                "relationships": {
                    name: self._relationship(each, ((path, "relationships"), name))
                    for name, each in relationships.items()
                },
                "unreadable": self._unreadable(members.get("unreadable"), (path, "unreadable")),
                "related": self._related(members.get("related"), (path, "related")),
                **{name: self._mapping(members.get(name), (path, name)) for name in ("extra", "links", "meta")},
            }
        )

    def _unreadable(self, written: Any, path: _Path) -> dict[str, Unreadable]:
        # Texts of older versions have none.
        entries = self._mapping({} if written is None else written, path)
        return {name: _unreadable_from(each, (path, name)) for name, each in entries.items()}

    def _related(self, written: Any, path: _Path) -> dict[Identifier, Resource]:
        related: dict[Identifier, Resource] = {}
        for entry in _array(written, path):
            match _array(entry, path):
                case [kind, of, index]:
                    identifier = Identifier(self._text_of(kind, path), self._text_of(of, path))
                    related[identifier] = self._resource_at(index, path)
                case _:
                    raise _wrong("type, id and index were expected", path)
        return related

    def _relationship(self, written: Any, path: _Path) -> Relationship:
        members = _object(written, path)
        name: Any = members.get("state")
        if not isinstance(name, str) or name not in LinkageState.__members__:
            raise _wrong("the state of a relation was expected", (path, "state"))
        links = members.get("self"), members.get("related")
        if any(link is not None and not isinstance(link, str) for link in links):
            raise _wrong("a link must be text", path)
        return Relationship(LinkageState[name], self._identifiers(members.get("identifiers"), path), *links)

    def _identifiers(self, written: Any, path: _Path) -> tuple[Identifier, ...]:
        pairs = [_array(pair, (path, "identifiers")) for pair in _array(written, (path, "identifiers"))]
        if any(len(pair) != 2 or not all(isinstance(each, str) for each in pair) for pair in pairs):  # noqa: PLR2004
            raise _wrong("pairs of type and id were expected", (path, "identifiers"))
        return tuple(Identifier(kind, of) for kind, of in pairs)


def _blank(members: dict[str, Any], path: _Path) -> Resource:
    if members.get("untyped") is True:
        return UntypedResource.__new__(UntypedResource)
    resource_type: Any = members.get("type")
    cls = MODELS.get(resource_type) if isinstance(resource_type, str) else None
    if cls is None:
        raise _wrong(f"the resource type {brief(resource_type)} is not known here", (path, "type"))
    return cls.__new__(cls)


def _unreadable_from(value: Any, path: _Path) -> Unreadable:
    match value:
        case (str() as expected, str() as kind, steps) if _are_steps(steps):
            return Unreadable(expected, kind, steps)
        case _:
            raise _wrong("the description of an unreadable attribute was expected", path)


def _are_steps(value: Any) -> TypeGuard[Steps]:
    return _is_tuple(value) and all(isinstance(each, str | int) for each in value)


def _is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _record(cls: type[Any], fields: dict[str, Any], path: _Path) -> Any:
    try:
        return cls(**fields)
    except (TypeError, ValueError, ArithmeticError) as reason:
        problem = f"no {cls.__name__} can be made of it: {str(reason)[:_MAX_REASON_LENGTH]}"
        raise _wrong(problem, (path, "fields")) from None


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if number.is_snan():
        # Comparing a signaling NaN raises, also within another object.
        raise InvalidOperation
    return number


def _from_hex(text: str) -> str:
    return bytes.fromhex(text).decode("utf-8", "surrogatepass")


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "decimal": _decimal,
    "float": float,
    "text": _from_hex,
}
"""The parser for each kind that is written as one text."""


def _parsed(kind: str, text: Any, path: _Path) -> Any:
    if not isinstance(text, str):
        raise _wrong("text was expected", (path, "text"))
    try:
        return _PARSERS[kind](text)
    except (ValueError, InvalidOperation):
        raise _wrong(f"no {kind}: {text[:60]!r}", (path, "text")) from None


def _bytes(text: str | bytes) -> bytes:
    given: Any = text
    if not isinstance(given, str | bytes):
        raise InvalidArgumentError(f"loads() takes text or bytes, got {type(given).__name__}")
    try:
        return text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise _wrong("this is no text of dumps()", None) from None


def _object(value: Any, path: _Path) -> dict[str, Any]:
    members = json_object(value)
    if members is None:
        raise _wrong("an object was expected", path)
    return members


def _array(value: Any, path: _Path) -> list[Any]:
    elements = json_array(value)
    if elements is None:
        raise _wrong("an array was expected", path)
    return elements


def _resource_path(index: int) -> _Path:
    return (None, "resources"), index


def _wrong(problem: str, path: _Path | None) -> DecodeError:
    return DecodeError(problem, path=_formatted(path)[:_MAX_PATH_LENGTH], context=_CONTEXT)


def _formatted(path: _Path | None) -> str:
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step[:_MAX_STEP_LENGTH]}")
    return "".join(reversed(steps)).removeprefix(".")
