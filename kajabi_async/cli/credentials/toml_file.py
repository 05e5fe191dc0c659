"""The file with the client id and secret: TOML, mode 0600, owned by the user, and no symbolic link."""

import errno
import json
import os
import shlex
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from kajabi_async.cli.credentials.error import CredentialsError
from kajabi_async.errors import ConfigurationError
from kajabi_async.private_files import make_folders, replacing
from kajabi_async.session import ClientCredentials

__all__ = ["read", "remove", "write"]

_MEMBERS: Final = ("client_id", "client_secret")
_WRITE_AGAIN: Final = 'it needs two lines, client_id = "..." and client_secret = "..."; `kajabi login` writes them'
_LARGEST_BYTES: Final = 65_536
_FOR_OTHERS: Final = 0o077
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK: Final = getattr(os, "O_NONBLOCK", 0)


def read(path: Path) -> ClientCredentials | None:
    """Return the credentials in *path*, or None if there is no such file.

    CredentialsError if other users may read or change the file, or own it, if it is a symbolic link or not a regular
    file, or if it does not hold exactly the two members. The error never shows the content.
    """
    try:
        # Checked through the descriptor, so that the file cannot be swapped between check and read.
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_BLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        _check(path, os.fstat(descriptor))
        content = os.read(descriptor, _LARGEST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > _LARGEST_BYTES:
        raise CredentialsError(f"the credentials file {path} is larger than {_LARGEST_BYTES} bytes", cure=_WRITE_AGAIN)
    return _parsed(path, content)


def write(path: Path, credentials: ClientCredentials) -> None:
    """Write the credentials to *path* with mode 0600, atomically: a concurrent reader sees the old or the new.

    Makes the folder and its parents, with mode 0700, if they are missing. CredentialsError if anything fails.
    """
    members = credentials.form()
    # TOML basic strings are JSON strings except for surrogate escapes, which ensure_ascii=False avoids.
    text = "".join(f"{name} = {json.dumps(members[name], ensure_ascii=False)}\n" for name in _MEMBERS)
    try:
        make_folders(path.parent)
        with replacing(path, keep_mode=False) as file:
            file.write(text.encode())
    except OSError as error:
        raise CredentialsError(
            f"cannot write the credentials file {path} ({error.strerror})",
            cure="name another place in KAJABI_CREDENTIALS_FILE, or use the environment or `kajabi login --keyring`",
        ) from None


def remove(path: Path) -> bool:
    """Remove *path* and return whether it existed; CredentialsError if it cannot be removed."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CredentialsError(
            f"cannot remove the credentials file {path} ({error.strerror})", cure="remove it by hand"
        ) from None
    return True


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


def _check(path: Path, status: os.stat_result) -> None:
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
    if mode & _FOR_OTHERS:
        raise CredentialsError(
            f"the credentials file {path} has mode {mode:04o}, so that other users may read or change the secret",
            cure=f"run `chmod 600 {shlex.quote(str(path))}`, and make a new key if it may have been read",
        )


def _parsed(path: Path, content: bytes) -> ClientCredentials:
    try:
        members: dict[str, Any] = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        # The parser raises plain ValueError on numbers of 5,000 digits and RecursionError on deep nesting. Its text
        # may quote the line with the secret.
        raise CredentialsError(f"the credentials file {path} is not TOML", cure=_WRITE_AGAIN) from None
    if sorted(members) != sorted(_MEMBERS):
        raise CredentialsError(f"the credentials file {path} has missing or unknown members", cure=_WRITE_AGAIN)
    try:
        return ClientCredentials(members["client_id"], members["client_secret"])
    except ConfigurationError as error:
        raise CredentialsError(f"the credentials file {path} cannot be used ({error})", cure=_WRITE_AGAIN) from None
