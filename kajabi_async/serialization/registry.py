"""The classes that can be written as JSON, each by its name, and the markers of the format."""

from collections.abc import Mapping
from typing import Any, Final

from kajabi_async import errors, models
from kajabi_async.error_object import ErrorObject
from kajabi_async.errors import KajabiError
from kajabi_async.fetching.email_outcomes import EmailFailed, EmailFound
from kajabi_async.fetching.outcomes import Failed, Found, Progress, Report
from kajabi_async.models.account import ApiVersion
from kajabi_async.models.resource import Part
from kajabi_async.webhooks import dashboard, delivery_errors
from kajabi_async.webhooks.hook_events import EVENTS

__all__ = ["ERRORS", "FORMAT", "KIND", "RECORDS", "VERSION"]

FORMAT: Final = "kajabi_async"
"""The member with the version of the format of a text."""
VERSION: Final = 1
KIND: Final = "$kajabi"
"""The member that marks an object as an encoded value; a mapping of the caller with this name in it is wrapped."""


def _errors_in(module: Any) -> dict[str, type[KajabiError]]:
    named = ((name, getattr(module, name)) for name in module.__all__)
    return {name: cls for name, cls in named if isinstance(cls, type) and issubclass(cls, KajabiError)}


def _parts_in(module: Any) -> list[type[Part]]:
    named = (getattr(module, name) for name in module.__all__)
    return [cls for cls in named if isinstance(cls, type) and issubclass(cls, Part)]


ERRORS: Final[Mapping[str, type[KajabiError]]] = {**_errors_in(errors), **_errors_in(delivery_errors)}
"""Every public error, by name."""

RECORDS: Final[Mapping[str, type[Any]]] = {
    cls.__name__: cls
    for cls in (
        *(ApiVersion, ErrorObject, Found, Failed, EmailFound, EmailFailed, Progress, Report),
        *_parts_in(models),
        *_parts_in(dashboard),
        *EVENTS.values(),
        *dashboard.DASHBOARD_EVENTS.values(),
    )
}
"""Every public attrs class that consists of its fields alone, by name."""
