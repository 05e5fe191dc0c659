"""A token in a file, shared by the processes of one machine (extra ``file``).

Only the owner can open the folder and its files: anyone who can read the file can act as the API key until the token
expires.
"""

import asyncio
import contextlib
import os
import re
import stat
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import attrs

from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.private_files import UnsafePathError, make_folders
from kajabi_async.session.auth.store import Lease, StoredToken, checked_lease_seconds

try:
    from filelock import FileLock, Timeout
except ModuleNotFoundError as error:
    raise ImportError("the token store in a file needs the extra 'file': pip install 'kajabi-async[file]'") from error

__all__ = ["FileTokenStore"]

P = ParamSpec("P")
T = TypeVar("T")

_MAX_BYTES: Final = 64 * 1024
_SAFE_FLAGS: Final = os.O_NOFOLLOW | os.O_CLOEXEC
_KEY: Final = re.compile(r"[0-9a-f]{1,64}")


class FileTokenStore:
    """A store of tokens for the processes of one user on one machine, in a ``folder`` that only that user can open.

    The folder is created with mode 0700 if it is missing; ConfigurationError if it is a link, another user's, or open
    to others. The lease is a lock of the operating system, which is released whenever its process dies. Put the folder
    on a local disk: locks on network file systems are unreliable.
    """

    def __init__(self, folder: str | os.PathLike[str], *, lease_seconds: float = 20.0) -> None:
        self.lease_seconds = checked_lease_seconds(lease_seconds)
        self._folder = _path(folder)
        self._locks: dict[tuple[str, Lease], FileLock] = {}
        self._fence = 0
        _prepare(self._folder)

    async def load(self, key: str) -> StoredToken | None:
        """Return the token of ``key``, or None if there is none. StoreUnavailableError if it cannot be read."""
        return await _in_thread(self._load, _name(key))

    async def acquire(self, key: str) -> Lease | None:
        """Return the lease of ``key``, or None if another process, or another client of this one, has it."""
        try:
            # FileLock would create a missing folder, open to others.
            _prepare(self._folder)
        except ConfigurationError as failure:
            raise StoreUnavailableError(str(failure)) from None
        # With timeout=0, no thread is left waiting for the lock when the caller is cancelled.
        lock = FileLock(self._folder / _name(key, ".lock"), timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            return None
        except (OSError, NotImplementedError) as failure:
            # NotImplementedError: the file system has no locks.
            raise _unavailable("locked", failure) from None
        self._fence += 1
        lease = Lease(uuid.uuid4().hex, self._fence)
        self._locks[key, lease] = lock
        return lease

    async def release(self, key: str, lease: Lease) -> None:
        """Release ``lease`` of ``key``; do nothing if this store does not have it."""
        lock = self._locks.pop((key, lease), None)
        if lock is not None:
            with contextlib.suppress(OSError):
                lock.release()

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Replace the version ``replaces`` with ``token``; return False if another is stored or ``lease`` has ended.

        The file is replaced atomically: a reader sees the old token or the new one, and a crash leaves one of them.
        """
        if (key, lease) not in self._locks:
            return False
        return await _in_thread(self._replace, _name(key), token, replaces)

    async def discard(self, key: str, *, version: int) -> None:
        """Remove the token of ``key`` if it still has ``version``."""
        lease = await self.acquire(key)
        if lease is None:
            # The holder of the lease is about to store another version.
            return
        try:
            await _in_thread(self._remove, _name(key), version)
        finally:
            await self.release(key, lease)

    def _load(self, name: str) -> StoredToken | None:
        if not os.path.lexists(self._folder):
            return None
        with self._opened() as folder:
            return _read(folder, name)

    def _replace(self, name: str, token: StoredToken, replaces: int) -> bool:
        with self._opened() as folder:
            stored = _read(folder, name)
            if (0 if stored is None else stored.version) != replaces:
                return False
            temporary = f"{name}.{uuid.uuid4().hex}"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE_FLAGS, 0o600, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as opened:
                    opened.write(attrs.evolve(token, version=replaces + 1).to_bytes())
                    opened.flush()
                    os.fsync(descriptor)
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)
            return True

    def _remove(self, name: str, version: int) -> None:
        with self._opened() as folder:
            stored = _read(folder, name)
            if stored is not None and stored.version == version:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)

    @contextlib.contextmanager
    def _opened(self) -> Generator[int]:
        """Open the folder, so that names in it stay in this folder even if another one takes its path meanwhile."""
        try:
            descriptor = _open_folder(self._folder)
        except ConfigurationError as failure:
            raise StoreUnavailableError(str(failure)) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _path(folder: Any) -> Path:
    try:
        return Path(folder)
    except TypeError:
        raise ConfigurationError(f"the folder for the token must be a path, got {type(folder).__name__}") from None


def _name(key: str, suffix: str = ".json") -> str:
    if not _KEY.fullmatch(key):
        raise ConfigurationError("the key of a token is up to 64 hexadecimal digits")
    return f"token-{key}{suffix}"


def _read(folder: int, name: str) -> StoredToken | None:
    try:
        # O_NONBLOCK: do not wait for a writer if the file is a pipe.
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _SAFE_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        _check_file(os.fstat(descriptor), name)
        return StoredToken.from_bytes(os.read(descriptor, _MAX_BYTES))
    finally:
        os.close(descriptor)


async def _in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run *work* in a thread, and wait for its end even if the caller is cancelled."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        await asyncio.wait({task})
        # Retrieve the exception, so that asyncio does not log it as never retrieved.
        task.exception()
        raise
    try:
        return task.result()
    except OSError as failure:
        raise _unavailable("read or written", failure) from None


def _unavailable(action: str, failure: Exception) -> StoreUnavailableError:
    reason = getattr(failure, "strerror", None) or type(failure).__name__
    return StoreUnavailableError(f"the file of the token cannot be {action}: {reason}")


def _prepare(folder: Path) -> None:
    try:
        make_folders(folder)
    except OSError as failure:
        raise ConfigurationError(f"the folder for the token cannot be made: {failure.strerror}") from None
    os.close(_open_folder(folder))


def _open_folder(folder: Path) -> int:
    """Return a descriptor of *folder*; ConfigurationError if it is a link, another user's, or open to others."""
    try:
        _check_folder(folder.lstat(), folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _SAFE_FLAGS)
        try:
            # Check the descriptor too: another folder may have taken the path in between.
            _check_folder(os.fstat(descriptor), folder)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as failure:
        raise ConfigurationError(f"the folder for the token cannot be used: {failure.strerror}") from None
    return descriptor


def _check_folder(found: os.stat_result, folder: Path) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigurationError(f"the folder for the token is a link or not a folder: {folder}")
    if found.st_uid != os.geteuid():
        raise ConfigurationError(f"the folder for the token belongs to another user: {folder}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigurationError(f"the folder for the token is open to other users: chmod 700 {folder}")


def _check_file(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePathError(f"it is not a regular file, remove it: {name}")
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafePathError(f"it belongs to or is open to other users, remove it or chmod 600 {name}")
