"""Credentials in the system keyring: the only module that imports the library, which is the extra ``keyring``."""

import importlib
import json
from typing import Any, Final

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.errors import ConfigurationError
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.session import ClientCredentials

__all__ = ["is_installed", "read", "remove", "site_of", "write"]

SERVICE: Final = "kajabi-async"
ENTRY: Final = "user-api-key"
"""The entry that holds both id and secret, so that never only one is stored; that of a profile has its name behind."""


def is_installed() -> bool:
    """Return whether the extra is installed."""
    return _library() is not None


def read(profile: str | None = None) -> ClientCredentials | None:
    """Return the stored credentials of *profile*, or None if there are none, no keyring, or no library for it.

    CredentialsError if the keyring is locked or fails, or if `write` did not make the entry.
    """
    keyring = _library()
    if keyring is None:
        return None
    try:
        stored: str | None = keyring.get_password(SERVICE, _entry(profile))
    except keyring.errors.NoKeyringError:
        return None
    except Exception as error:  # noqa: BLE001 - backends raise errors of the libraries below them too
        raise _failed("read", error) from None
    return None if stored is None else _parsed(stored)


def site_of(profile: str | None = None) -> str | None:
    """Return the site that is stored with the credentials of *profile*, None if there is none; no error is raised."""
    keyring = _library()
    try:
        members = json_object(json.loads(keyring.get_password(SERVICE, _entry(profile)))) or {}
    except Exception:  # noqa: BLE001 - reading the credentials reports it
        return None
    site_id = members.get("site_id")
    return site_id if isinstance(site_id, str) else None


def write(credentials: ClientCredentials, profile: str | None = None, *, site_id: str | None = None) -> None:
    """Store the credentials of *profile*, with its site or the one stored so far.

    CredentialsError if library or keyring is missing, or storing fails.
    """
    keyring = _library()
    if keyring is None:
        raise CredentialsError("the system keyring needs an extra", cure="pip install 'kajabi-async[keyring]'")
    members = credentials.form()
    stored = {name: members[name] for name in ("client_id", "client_secret")}
    if site := site_id or site_of(profile):
        stored["site_id"] = site
    entry = json.dumps(stored)
    try:
        keyring.set_password(SERVICE, _entry(profile), entry)
    except keyring.errors.KeyringError as error:
        raise _failed("write to", error) from None


def remove(profile: str | None = None) -> bool:
    """Remove the stored credentials of *profile* and return whether there were any; CredentialsError if it fails."""
    keyring = _library()
    if keyring is None:
        return False
    try:
        if keyring.get_password(SERVICE, _entry(profile)) is None:
            return False
        keyring.delete_password(SERVICE, _entry(profile))
    except keyring.errors.NoKeyringError:
        return False
    except keyring.errors.KeyringError as error:
        raise _failed("remove from", error) from None
    return True


def _entry(profile: str | None) -> str:
    return ENTRY if profile is None else f"{ENTRY}:{profile}"


def _library() -> Any:
    try:
        importlib.import_module("keyring.errors")
        return importlib.import_module("keyring")
    except ImportError:
        return None


def _failed(verb: str, error: Exception) -> CredentialsError:
    # Only the name of the error: the text of a backend may hold a secret.
    return CredentialsError(
        f"cannot {verb} the system keyring ({type(error).__name__})",
        cure="unlock it, or use `kajabi login` without --keyring, or the environment",
    )


def _parsed(stored: str) -> ClientCredentials:
    try:
        members = json_object(json.loads(stored)) or {}
        return ClientCredentials(members["client_id"], members["client_secret"])
    except (ValueError, TypeError, KeyError, RecursionError, ConfigurationError):
        raise CredentialsError(
            f"the entry {SERVICE} of the system keyring cannot be used", cure="`kajabi login --keyring` replaces it"
        ) from None
