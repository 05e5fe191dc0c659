"""Credentials in the system's keyring; the one module that knows the library, which is the extra ``keyring``."""

import json
from types import ModuleType
from typing import Any, Final

from kajabi_async.errors import ConfigurationError
from kajabi_async.jsonapi.decoding import json_object
from kajabi_async.session import ClientCredentials

__all__ = ["is_installed", "read", "remove", "write"]

SERVICE: Final = "kajabi-async"
ENTRY: Final = "user-api-key"
"""Id and secret are one entry, so that half a key is never stored."""


def is_installed() -> bool:
    """Tell whether the extra is there."""
    return _library() is not None


def read() -> ClientCredentials | None:
    """Give the stored credentials, None where there are none, no keyring, or no library for it.

    ConfigurationError where the keyring is locked or fails, or the entry is not one that `write` made.
    """
    keyring = _library()
    if keyring is None:
        return None
    try:
        stored: str | None = keyring.get_password(SERVICE, ENTRY)
    except keyring.errors.NoKeyringError:
        return None
    except keyring.errors.KeyringError as error:
        raise _failed("read", error) from None
    return None if stored is None else _parsed(stored)


def write(credentials: ClientCredentials) -> None:
    """Store the credentials; ConfigurationError where there is no library or no keyring, or it fails."""
    keyring = _library()
    if keyring is None:
        raise ConfigurationError("the system keyring needs an extra: pip install 'kajabi-async[keyring]'")
    members = credentials.form()
    entry = json.dumps({name: members[name] for name in ("client_id", "client_secret")})
    try:
        keyring.set_password(SERVICE, ENTRY, entry)
    except keyring.errors.KeyringError as error:
        raise _failed("write to", error) from None


def remove() -> bool:
    """Remove the stored credentials and tell whether there were any."""
    keyring = _library()
    if keyring is None:
        return False
    try:
        if keyring.get_password(SERVICE, ENTRY) is None:
            return False
        keyring.delete_password(SERVICE, ENTRY)
    except keyring.errors.NoKeyringError:
        return False
    except keyring.errors.KeyringError as error:
        raise _failed("remove from", error) from None
    return True


def _library() -> Any:
    try:
        import keyring  # noqa: PLC0415 - it is an extra
        import keyring.errors  # noqa: PLC0415
    except ImportError:
        return None
    library: ModuleType = keyring
    return library


def _failed(verb: str, error: Exception) -> ConfigurationError:
    # Only the name of the failure: a backend's own words are not ours to vouch for.
    return ConfigurationError(
        f"cannot {verb} the system keyring ({type(error).__name__}): unlock it, or use `kajabi login` without "
        "--keyring, or the environment"
    )


def _parsed(stored: str) -> ClientCredentials:
    try:
        members = json_object(json.loads(stored)) or {}
        return ClientCredentials(members["client_id"], members["client_secret"])
    except (ValueError, KeyError, ConfigurationError):
        raise ConfigurationError(
            f"the entry {SERVICE} of the system keyring cannot be used: `kajabi login --keyring` writes it anew"
        ) from None
