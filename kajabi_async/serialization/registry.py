"""The classes that can be written as JSON, each by its name, and the markers of the format."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

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

T = TypeVar("T")

FORMAT: Final = "kajabi_async"
"""The member with the version of the format of a text."""
VERSION: Final = 1
KIND: Final = "$kajabi"
"""The member that marks an object as an encoded value; a mapping of the caller with this name in it is wrapped."""


def _classes_in(module: Any, base: type[T]) -> list[type[T]]:
    named = (getattr(module, name) for name in module.__all__)
    return [cls for cls in named if isinstance(cls, type) and issubclass(cls, base)]


ERRORS: Final[Mapping[str, type[KajabiError]]] = {
    cls.__name__: cls for cls in (*_classes_in(errors, KajabiError), *_classes_in(delivery_errors, KajabiError))
}
"""Every public error, by name."""

RECORDS: Final[Mapping[str, type[Any]]] = {
    cls.__name__: cls
    for cls in (
        *(ApiVersion, ErrorObject, Found, Failed, EmailFound, EmailFailed, Progress, Report),
        *_classes_in(models, Part),
        *_classes_in(dashboard, Part),
        *EVENTS.values(),
        *dashboard.DASHBOARD_EVENTS.values(),
    )
}
"""Every public attrs class that consists of its fields alone, by name."""
