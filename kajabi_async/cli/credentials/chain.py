"""The credentials of the command line: from the environment, else a file of mode 0600, else the keyring.

Those of a named profile come from the file or the keyring, whatever the environment has: a command for one account must
never reach another. Never from an argument, which other users of the machine and the shell's history can see.
"""

import os
from pathlib import Path
from typing import Final, Literal

import attrs

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.credentials import keyring as keyring_store
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials.profiles import named_profile, stored_profile
from kajabi_async.client import OFFICIAL_BASE_URL, Kajabi
from kajabi_async.errors import ConfigurationError
from kajabi_async.session import ClientCredentials

__all__ = [
    "FoundCredentials",
    "configured_base_url",
    "credentials_path",
    "find_credentials",
    "open_client",
]


ID_VARIABLE: Final = "KAJABI_CLIENT_ID"
SECRET_VARIABLE: Final = "KAJABI_CLIENT_SECRET"  # noqa: S105 - the name of a variable
SITE_VARIABLE: Final = "KAJABI_SITE_ID"
BASE_URL_VARIABLE: Final = "KAJABI_BASE_URL"
FILE_VARIABLE: Final = "KAJABI_CREDENTIALS_FILE"
WHERE_KAJABI_SHOWS_THEM: Final = "Kajabi shows both under Settings, Security, User API Keys"

Source = Literal["environment", "file", "keyring"]


@attrs.frozen
class FoundCredentials:
    """Credentials, and where they were found."""

    credentials: ClientCredentials = attrs.field(repr=False)
    source: Source
    place: str
    """The source for a message, such as ``the file /home/ada/.config/kajabi/credentials.toml``."""
    site_id: str | None = None
    """The site for lists and creations that name none."""
    site_place: str = SITE_VARIABLE
    """The source of the site for a message, such as ``the site of the profile shop``."""


def find_credentials() -> FoundCredentials:
    """Return the credentials of the first source that has any: environment, file, keyring.

    Later sources are not read, and for a profile not the environment. The site is that of KAJABI_SITE_ID, else the one
    stored with the key; for a profile its own comes first. CredentialsError if no source has credentials, or if those
    of the first that has some cannot be used; it names the source and the cure.
    """
    named = named_profile()
    if named is not None:
        return _of_profile(named)
    found = _from_environment() or _from_file(None) or _from_keyring(None)
    if found is None:
        names = credentials_file.profile_names(credentials_path())
        raise CredentialsError(
            "there are no credentials",
            cure=f"name a profile with --profile, one of {', '.join(names)}"
            if names
            else f"set {ID_VARIABLE} and {SECRET_VARIABLE} in the environment, or store both with `kajabi login`; "
            f"{WHERE_KAJABI_SHOWS_THEM}",
        )
    return found


def open_client(found: FoundCredentials) -> Kajabi:
    """Return a client with the credentials and the site *found*, and with KAJABI_BASE_URL if it is set.

    ConfigurationError if the base URL cannot be used.
    """
    try:
        return Kajabi(credentials=found.credentials, base_url=configured_base_url(), site_id=found.site_id)
    except ConfigurationError as error:
        # The text names two arguments of the client that no command has.
        message = str(error).replace("base_url", BASE_URL_VARIABLE, 1).partition(", or allow_insecure")[0]
        raise ConfigurationError(message) from None


def configured_base_url() -> str:
    """Return KAJABI_BASE_URL if it is set, otherwise the official base URL."""
    return os.environ.get(BASE_URL_VARIABLE) or OFFICIAL_BASE_URL


def credentials_path() -> Path:
    """Return the path of the credentials file: KAJABI_CREDENTIALS_FILE, else one in the user's configuration."""
    if given := os.environ.get(FILE_VARIABLE):
        return Path(given)
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG Base Directory Specification says to ignore a relative path.
    base = Path(configured) if Path(configured).is_absolute() else _home() / ".config"
    return base / "kajabi" / "credentials.toml"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise CredentialsError(
            "there is no home folder to look for the credentials file in",
            cure=f"name the file in {FILE_VARIABLE}, or set {ID_VARIABLE} and {SECRET_VARIABLE}",
        ) from None


def _from_environment() -> FoundCredentials | None:
    client_id, client_secret = os.environ.get(ID_VARIABLE), os.environ.get(SECRET_VARIABLE)
    if not client_id and not client_secret:
        return None
    if not client_id or not client_secret:
        missing, there = (ID_VARIABLE, SECRET_VARIABLE) if client_secret else (SECRET_VARIABLE, ID_VARIABLE)
        raise CredentialsError(
            f"the environment has {there} but not {missing}, and both must come from the same place",
            cure=f"set {missing} too, or unset {there}; {WHERE_KAJABI_SHOWS_THEM}",
        )
    try:
        credentials = ClientCredentials(client_id, client_secret)
    except ConfigurationError as error:
        cure = f"set {ID_VARIABLE} and {SECRET_VARIABLE} to what Kajabi shows, and nothing else"
        raise CredentialsError(f"the credentials in the environment cannot be used ({error})", cure=cure) from None
    return FoundCredentials(credentials, "environment", "the environment", os.environ.get(SITE_VARIABLE) or None)


def _of_profile(named: str) -> FoundCredentials:
    profile = stored_profile()
    found = _from_file(profile) or _from_keyring(profile)
    if found is None:
        names = credentials_file.profile_names(credentials_path())
        others = f"; there are {', '.join(names)}" if names else ""
        raise CredentialsError(
            f"there are no credentials of the profile {named}{others}",
            cure=f"`kajabi login --profile {named}` stores them",
        )
    return found


def _from_file(profile: str | None) -> FoundCredentials | None:
    path = credentials_path()
    credentials = credentials_file.read(path, profile)
    if credentials is None:
        if os.environ.get(FILE_VARIABLE) and not path.exists():
            raise CredentialsError(f"{FILE_VARIABLE} names {path}, which is not there", cure="`kajabi login` writes it")
        return None
    return _with_site(credentials, "file", f"the file {path}", credentials_file.site_of(path, profile), profile)


def _from_keyring(profile: str | None) -> FoundCredentials | None:
    credentials = keyring_store.read(profile)
    if credentials is None:
        return None
    return _with_site(credentials, "keyring", "the system keyring", keyring_store.site_of(profile), profile)


def _with_site(
    credentials: ClientCredentials, source: Source, place: str, stored: str | None, profile: str | None
) -> FoundCredentials:
    """Return stored credentials: the site of a profile hides KAJABI_SITE_ID, which may be of another account."""
    of_environment = os.environ.get(SITE_VARIABLE) or None
    if profile is not None:
        place = f"the profile {profile} in {place}"
    if stored is None or (profile is None and of_environment is not None):
        return FoundCredentials(credentials, source, place, of_environment)
    return FoundCredentials(credentials, source, place, stored, f"the site of {place}")
