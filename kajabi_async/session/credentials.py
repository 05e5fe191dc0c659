"""The credentials for a token: one class for each grant of the API, and a type that hides secrets."""

from typing import Any, Final, NoReturn, Protocol

import attrs

from kajabi_async.errors import ConfigurationError
from kajabi_async.structs import Value
from kajabi_async.tracebacks import hides_arguments

__all__ = ["ClientCredentials", "Credentials", "PasswordCredentials", "RefreshTokenCredentials", "Secret", "token_text"]

_LONGEST_TOKEN: Final = 16_384
"""More does not fit into a header that servers accept."""


class Secret:
    """Text that only `reveal` and `as_bearer` show: not in repr, logs, pickles or tracebacks."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def as_bearer(self) -> str:
        """Return the text, a token, as the value of the Authorization header."""
        return f"Bearer {self._text}"

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        self.__getstate__()

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; hand the credentials to the other process by its environment")


def token_text(value: object) -> Secret | None:
    """Return ``value`` if it is text that can be sent as a token: printable ASCII, at most 16,384 characters."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TOKEN:
        return None
    return Secret(value) if value.isascii() and value.isprintable() and value.strip() == value else None


class Credentials(Protocol):
    """The credentials for a token request."""

    def form(self) -> dict[str, str]:
        """Return the form fields of the token request."""
        ...


def _as_secret(given: str | Secret) -> Secret:
    return given if isinstance(given, Secret) else Secret(given)


def _usable(_: object, field: "attrs.Attribute[Secret]", secret: Secret) -> None:
    value: Any = secret.reveal()
    if not isinstance(value, str):
        raise ConfigurationError(f"{field.name} must be a string, got {type(value).__name__}")
    if not value.strip():
        raise ConfigurationError(f"{field.name} is empty")
    if not value.isprintable():
        raise ConfigurationError(f"{field.name} holds control characters; was a line end copied along?")


@hides_arguments
@attrs.frozen(eq=False, repr=False)
class ClientCredentials(Value):
    """A client id and secret of a user API key: the grant that Kajabi prefers."""

    client_id: Secret = attrs.field(converter=_as_secret, validator=_usable)
    client_secret: Secret = attrs.field(converter=_as_secret, validator=_usable)

    def form(self) -> dict[str, str]:
        """Return client id and secret with ``grant_type=client_credentials``."""
        return {
            "client_id": self.client_id.reveal(),
            "client_secret": self.client_secret.reveal(),
            "grant_type": "client_credentials",
        }


@hides_arguments
@attrs.frozen(eq=False, repr=False)
class RefreshTokenCredentials(Value):
    """A refresh token of an earlier grant."""

    refresh_token: Secret = attrs.field(converter=_as_secret, validator=_usable)

    def form(self) -> dict[str, str]:
        """Return the refresh token with ``grant_type=refresh_token`` and nothing else (API document)."""
        return {"refresh_token": self.refresh_token.reveal(), "grant_type": "refresh_token"}


@hides_arguments
@attrs.frozen(eq=False, repr=False)
class PasswordCredentials(Value):
    """A user's name and password; client credentials are preferred (API document)."""

    username: Secret = attrs.field(converter=_as_secret, validator=_usable)
    password: Secret = attrs.field(converter=_as_secret, validator=_usable)

    def form(self) -> dict[str, str]:
        """Return name and password, without a grant type (API document)."""
        return {"username": self.username.reveal(), "password": self.password.reveal()}
