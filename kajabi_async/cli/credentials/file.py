"""The file that holds a client id and secret: TOML, mode 0600, the user's own, and no symbolic link."""

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
_ANEW: Final = 'it holds two lines, client_id = "..." and client_secret = "..."; `kajabi login` writes it anew'
_LARGEST_BYTES: Final = 65_536
_FOR_OTHERS: Final = 0o077
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_BLOCK: Final = getattr(os, "O_NONBLOCK", 0)


def read(path: Path) -> ClientCredentials | None:
    """Give the credentials in *path*, None where there is no such file.

    CredentialsError where others may read or change the file, it belongs to somebody else, is a
    symbolic link or no file at all, or does not hold both members and nothing else. What it holds is never told.
    """
    try:
        # Looked at through what was opened, so that nobody can put another file in its place in between.
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
        raise CredentialsError(f"the credentials file {path} is larger than {_LARGEST_BYTES} bytes", cure=_ANEW)
    return _parsed(path, content)


def write(path: Path, credentials: ClientCredentials) -> None:
    """Put the credentials into *path* with mode 0600, in one step: whoever reads it meanwhile sees old or new.

    Makes the folder and its parents, with mode 0700, if they are missing. CredentialsError if that cannot be done.
    """
    members = credentials.form()
    # A basic string of TOML is written like a string of JSON, but for surrogates, which ensure_ascii=False avoids.
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
    """Remove *path* and tell whether it was there; CredentialsError where that cannot be done."""
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
            f"the credentials file {path} is a symbolic link, which could lead to a file of somebody else's",
            cure="put the file itself there, or name its real place in KAJABI_CREDENTIALS_FILE",
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
            f"the credentials file {path} has mode {mode:04o}, so that other users may get at the secret",
            cure=f"run `chmod 600 {shlex.quote(str(path))}`, and make a new key if it may have been read",
        )


def _parsed(path: Path, content: bytes) -> ClientCredentials:
    try:
        members: dict[str, Any] = tomllib.loads(content.decode())
    except (ValueError, RecursionError):
        # Besides its own error the parser raises these, on numbers of 5,000 digits and on nesting without end. Its
        # words may quote the line with the secret.
        raise CredentialsError(f"the credentials file {path} is not TOML", cure=_ANEW) from None
    if sorted(members) != sorted(_MEMBERS):
        raise CredentialsError(f"the credentials file {path} has not the two members it should have", cure=_ANEW)
    try:
        return ClientCredentials(members["client_id"], members["client_secret"])
    except ConfigurationError as error:
        raise CredentialsError(f"the credentials file {path} cannot be used ({error})", cure=_ANEW) from None
