"""The file with client ids and secrets: TOML, mode 0600, owned by the user, and no symbolic link.

The key without a name is two members at its top, each profile a table ``[profiles.NAME]`` with the same two; a third,
``site_id``, may name the site of either.
"""

import errno
import json
import os
import re
import shlex
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.credentials.profiles import is_profile_name
from kajabi_async.errors import ConfigurationError
from kajabi_async.jsonapi.codec import json_object
from kajabi_async.private_files import make_folders, replacing
from kajabi_async.session import ClientCredentials

__all__ = ["profile_names", "read", "remove", "site_of", "write"]

_MEMBERS: Final = ("client_id", "client_secret")
_SITE: Final = "site_id"
_PROFILES: Final = "profiles"
_WRITE_AGAIN: Final = 'it needs two lines, client_id = "..." and client_secret = "..."; `kajabi login` writes them'

_Keys = dict[str | None, dict[str, Any]]
"""The members of each profile by its name, None for the key without one."""
_ID: Final = re.compile(r"[0-9]{1,20}")
_LARGEST_BYTES: Final = 65_536
_FOR_OTHERS: Final = 0o077
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK: Final = getattr(os, "O_NONBLOCK", 0)


def read(path: Path, profile: str | None = None) -> ClientCredentials | None:
    """Return the credentials of *profile* in *path*, or None if it has none or there is no such file.

    CredentialsError if other users may read or change the file, or own it, if it is a symbolic link or not a regular
    file, or if it holds anything else. The error never shows the content.
    """
    members = _keys(path).get(profile)
    if members is None:
        return None
    try:
        return ClientCredentials(members["client_id"], members["client_secret"])
    except ConfigurationError as error:
        raise CredentialsError(f"the credentials file {path} cannot be used ({error})", cure=_WRITE_AGAIN) from None


def site_of(path: Path, profile: str | None = None) -> str | None:
    """Return the site of *profile* in *path*, None if it names none; CredentialsError as `read`."""
    return _keys(path).get(profile, {}).get(_SITE)


def profile_names(path: Path) -> list[str]:
    """Return the names of the profiles in *path*, sorted; CredentialsError as `read`."""
    return sorted(name for name in _keys(path) if name is not None)


def write(
    path: Path, credentials: ClientCredentials, profile: str | None = None, *, site_id: str | None = None
) -> None:
    """Write the credentials of *profile* to *path* with mode 0600, and keep those of the others.

    Its site is *site_id*, or the one that the file names so far.

    The file is replaced atomically: a concurrent reader sees the old or the new. Makes the folder and its parents, with
    mode 0700, if they are missing. What is no credentials file is replaced, too. CredentialsError if anything fails.
    """
    form, kept = credentials.form(), _kept(path)
    members = {name: form[name] for name in _MEMBERS}
    if site := site_id or kept.get(profile, {}).get(_SITE):
        members[_SITE] = site
    _replace(path, {**kept, profile: members})


def remove(path: Path, profile: str | None = None) -> bool:
    """Remove the credentials of *profile* and return whether there were any; CredentialsError if that fails.

    The file itself is removed with the last of them, and if it cannot be read.
    """
    keys = _kept(path)
    if profile not in keys and (keys or profile is not None):
        return False
    others = {name: members for name, members in keys.items() if name != profile}
    if others:
        _replace(path, others)
        return True
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CredentialsError(
            f"cannot remove the credentials file {path} ({error.strerror})", cure="remove it by hand"
        ) from None
    return True


def _replace(path: Path, keys: _Keys) -> None:
    tables = [
        "".join(
            [
                *([] if name is None else [f"[{_PROFILES}.{name}]\n"]),
                # TOML basic strings are JSON strings except for surrogate escapes, which ensure_ascii=False avoids.
                *(f"{member} = {json.dumps(value, ensure_ascii=False)}\n" for member, value in keys[name].items()),
            ]
        )
        for name in sorted(keys, key=lambda name: name or "")
    ]
    try:
        make_folders(path.parent)
        with replacing(path, keep_mode=False) as file:
            file.write("\n".join(tables).encode())
    except OSError as error:
        raise CredentialsError(
            f"cannot write the credentials file {path} ({error.strerror})",
            cure="name another place in KAJABI_CREDENTIALS_FILE, or use the environment or `kajabi login --keyring`",
        ) from None


def _kept(path: Path) -> _Keys:
    """Return the credentials in a file of this user that is about to be replaced; none if it cannot be read."""
    try:
        keys = _keys(path, is_replaced=True)
    except CredentialsError:
        return {}
    return {name: members for name, members in keys.items() if all(isinstance(each, str) for each in members.values())}


def _keys(path: Path, *, is_replaced: bool = False) -> _Keys:
    """Return the credentials in the file, none if there is no file; one that *is_replaced* may have any mode."""
    content = _content(path, is_replaced=is_replaced)
    return {} if content is None else _parsed(path, content)


def _content(path: Path, *, is_replaced: bool) -> bytes | None:
    try:
        # Checked through the descriptor, so that the file cannot be swapped between check and read.
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_BLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        _check(path, os.fstat(descriptor), any_mode=is_replaced)
        content = os.read(descriptor, _LARGEST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST_BYTES:
        raise CredentialsError(f"the credentials file {path} is larger than {_LARGEST_BYTES} bytes", cure=_WRITE_AGAIN)
    return content


def _unusable(path: Path, error: OSError) -> CredentialsError:
    if error.errno in {errno.ELOOP, errno.EMLINK}:
        return CredentialsError(
            f"the credentials file {path} is a symbolic link, which could lead to another user's file",
            cure="put the file itself there, or set KAJABI_CREDENTIALS_FILE to its real path",
        )
    return CredentialsError(
        f"cannot read the credentials file {path} ({error.strerror})",
        cure="make it readable for you, or remove it, or name another in KAJABI_CREDENTIALS_FILE",
    )


def _check(path: Path, status: os.stat_result, *, any_mode: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CredentialsError(f"the credentials file {path} is not a regular file", cure="name one, or remove it")
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid():
        raise CredentialsError(
            f"the credentials file {path} belongs to another user (uid {status.st_uid})",
            cure="write your own with `kajabi login`, at another place if need be (KAJABI_CREDENTIALS_FILE)",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & _FOR_OTHERS and not any_mode:
        raise CredentialsError(
            f"the credentials file {path} has mode {mode:04o}, so that other users may read or change the secret",
            cure=f"run `chmod 600 {shlex.quote(str(path))}`, and make a new key if it may have been read",
        )


def _parsed(path: Path, content: bytes) -> _Keys:
    try:
        members: dict[str, Any] = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        # The parser raises plain ValueError on numbers of 5,000 digits and RecursionError on deep nesting. Its text
        # may quote the line with the secret.
        raise CredentialsError(f"the credentials file {path} is not TOML", cure=_WRITE_AGAIN) from None
    profiles = json_object(members.pop(_PROFILES, {}))
    found: dict[Any, Any] = {"": None} if profiles is None else {**profiles}
    if members or not found:
        found[None] = members
    if not all(_is_key(name, key) for name, key in found.items()):
        raise CredentialsError(f"the credentials file {path} has missing or unknown members", cure=_WRITE_AGAIN)
    # The members in their order; a site may be a number, as ids look like one.
    return {
        name: {**{each: key[each] for each in _MEMBERS}, **({_SITE: str(key[_SITE])} if _SITE in key else {})}
        for name, key in found.items()
    }


def _is_key(name: str | None, members: Any) -> bool:
    key = json_object(members) or {}
    site_id = key.get(_SITE, "0")
    has_site = isinstance(site_id, str | int) and not isinstance(site_id, bool) and bool(_ID.fullmatch(str(site_id)))
    return (name is None or is_profile_name(name)) and sorted({*key} - {_SITE}) == sorted(_MEMBERS) and has_site
