"""What a resource is not: a dict, a sequence, or something to fill or change. Each attempt names the cure.

Type checkers do not see any of it, so they still reject the code that tries.
"""

import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import attrs

from kajabi_async.hints import NamesCure

__all__ = ["AS_DICT", "ResourceMisuse", "cure_for"]

AS_DICT: Final = "as_dict_by_attrs"
"""The first field of every resource. It is never set, so that `attrs.asdict` ends at it with the cure."""

_FOR_DICTS: Final = frozenset(
    {
        "as_dict",
        "asdict",
        "attributes",
        "data",
        "dict",
        "fields",
        "get",
        "items",
        "json",
        "keys",
        "model_dump",
        "values",
    }
)
_FOR_WRITES: Final = frozenset({"create", "delete", "destroy", "patch", "put", "save", "update"})
_FOR_READS: Final = frozenset({"fetch", "load", "refresh", "reload"})


def cure_for(name: str) -> str:
    """Return what to write instead of the attribute called ``name``, which resources do not have; empty if unknown."""
    if name in _FOR_DICTS:
        return "; call .to_dict() for a dict of the attributes and the ids of related resources"
    if name in _FOR_WRITES:
        return "; writes are methods of the client, such as api.contacts.update(id, name=...)"
    if name in _FOR_READS:
        return "; read it again through the client, such as await api.customers.get(id)"
    return ""


def _no_dict(resource: object) -> TypeError:
    name = type(resource).__name__
    return TypeError(
        f"a {name} is not a dict: write .to_dict() for a dict of its attributes and the ids of related resources, or "
        "read one attribute, such as .id"
    )


@attrs.define(slots=False, init=False, eq=False, repr=False)
class ResourceMisuse(metaclass=NamesCure):
    """The base of resources that rejects what they cannot do."""

    __slots__ = ()

    if not TYPE_CHECKING:
        as_dict_by_attrs: NoReturn = attrs.field(init=False, repr=False)

        def __init__(self, *_: object, **__: object) -> None:
            """Raise TypeError: only an answer makes a resource."""
            raise TypeError(
                f"{type(self).__name__}() takes no arguments: it is what an answer of the API said, neither made nor "
                "changed here; write with the create() or update() of the client, if the resource has one, and use "
                "what that returns; .to_dict() returns a dict to change"
            )

        @property
        def __dict__(self) -> NoReturn:
            # vars() replaces an AttributeError by a text of its own. Code that names the attribute, such as a debugger
            # or inspect.getattr_static(), relies on one.
            caller = sys._getframe(1).f_code  # noqa: SLF001 - the only way to distinguish them
            if "__dict__" in f"{caller.co_names}{caller.co_consts}":
                raise AttributeError(f"{type(self).__name__!r} object has no attribute '__dict__'")
            raise _no_dict(self)

        def __dir__(self) -> list[str]:
            return dir(type(self))

        def __iter__(self) -> NoReturn:
            raise _no_dict(self)

        def __contains__(self, _: object) -> NoReturn:
            raise _no_dict(self)

        def __getitem__(self, name: Any) -> NoReturn:
            if isinstance(name, str) and name.isidentifier():
                raise TypeError(
                    f"a {type(self).__name__} is not a dict: write .{name}, or .to_dict()[{name!r}] for its JSON form"
                )
            raise _no_dict(self)

        def __delattr__(self, name: str) -> NoReturn:
            raise AttributeError(
                f"{type(self).__name__}.{name} is what the server said and cannot be deleted; .to_dict() returns a "
                "dict to change"
            )
