"""A token in a file, for the processes of one machine (extra ``file``).

The folder is open to its owner alone, and so is every file in it: whoever can read the file can act as the API key
until the token ends.
"""

import asyncio
import contextlib
import errno
import os
import re
import secrets
import stat
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, TypeVar

import attrs

from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.private_files import make_folders
from kajabi_async.session.auth.store import Lease, StoredToken, checked_lease_seconds

try:
    from filelock import FileLock, Timeout
except ModuleNotFoundError as error:
    raise ImportError("the token store in a file needs the extra 'file': pip install 'kajabi-async[file]'") from error

__all__ = ["FileTokenStore"]

T = TypeVar("T")

_LARGEST_BYTES: Final = 64 * 1024
_SAFELY: Final = os.O_NOFOLLOW | os.O_CLOEXEC
_KEY: Final = re.compile(r"[0-9a-f]{1,64}")


class FileTokenStore:
    """Shares tokens among the processes of one user on one machine, in a *folder* that only that user can open.

    The folder is made with mode 0700 where there is none; ConfigurationError where it is a link, somebody else's, or
    open to others. The lease is a lock of the operating system, which a process loses when it dies, however it dies:
    the next one goes on at once. Put the folder on a local disk: locks are not to be trusted over a network.
    """

    def __init__(self, folder: str | os.PathLike[str], *, lease_seconds: float = 20.0) -> None:
        self.lease_seconds = checked_lease_seconds(lease_seconds)
        self._folder = Path(folder)
        self._locks: dict[tuple[str, Lease], FileLock] = {}
        self._fence = 0
        _prepare(self._folder)

    async def load(self, key: str) -> StoredToken | None:
        """Give the token of *key*; None where there is none. StoreUnavailableError where it cannot be read."""
        name = _name(key)
        return await _apart(lambda: self._load(name))

    async def acquire(self, key: str) -> Lease | None:
        """Give the lease of *key*, or None where another process, or another client of this one, holds it."""
        try:
            # The lock would make a folder that is gone, open to others.
            _prepare(self._folder)
        except ConfigurationError as failure:
            raise StoreUnavailableError(str(failure)) from None
        # A lock that is not waited for: no thread is left behind with it when the caller goes away.
        lock = FileLock(self._folder / _name(key, ".lock"), timeout=0, thread_local=False, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            return None
        except (OSError, NotImplementedError) as failure:
            # The second one from a file system without locks.
            raise _unavailable("locked", failure) from None
        self._fence += 1
        lease = Lease(uuid.uuid4().hex, self._fence)
        self._locks[key, lease] = lock
        return lease

    async def release(self, key: str, lease: Lease) -> None:
        """Give *lease* of *key* back; nothing happens where it is not held."""
        lock = self._locks.pop((key, lease), None)
        if lock is not None:
            with contextlib.suppress(OSError):
                lock.release()

    async def save(self, key: str, token: StoredToken, *, lease: Lease, replaces: int) -> bool:
        """Put *token* in the place of version *replaces*; False where another version is there, or *lease* is not held.

        The file is replaced as a whole: a reader sees the old token or the new one, and a crash leaves one of them.
        """
        if (key, lease) not in self._locks:
            return False
        name = _name(key)
        return await _apart(lambda: self._replace(name, token, replaces))

    async def discard(self, key: str, *, version: int) -> None:
        """Drop the token of *key* where it is still of *version*."""
        lease = await self.acquire(key)
        if lease is None:
            # Whoever holds it is about to put another version there.
            return
        try:
            name = _name(key)
            await _apart(lambda: self._remove(name, version))
        finally:
            await self.release(key, lease)

    def _load(self, name: str) -> StoredToken | None:
        if not os.path.lexists(self._folder):
            return None
        with self._opened() as folder:
            return _read(folder, name)

    def _replace(self, name: str, token: StoredToken, replaces: int) -> bool:
        with self._opened() as folder:
            there = _read(folder, name)
            if (0 if there is None else there.version) != replaces:
                return False
            fresh = f"{name}.{secrets.token_hex(8)}"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as opened:
                    opened.write(attrs.evolve(token, version=replaces + 1).to_bytes())
                    opened.flush()
                    os.fsync(descriptor)
                os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(fresh, dir_fd=folder)
                raise
            os.fsync(folder)
            return True

    def _remove(self, name: str, version: int) -> None:
        with self._opened() as folder:
            there = _read(folder, name)
            if there is not None and there.version == version:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)

    @contextlib.contextmanager
    def _opened(self) -> Generator[int]:
        """Hold the folder open, so that names in it are names in this one, whatever is put in its place meanwhile."""
        try:
            descriptor = _open_folder(self._folder)
        except ConfigurationError as failure:
            raise StoreUnavailableError(str(failure)) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _name(key: str, suffix: str = ".json") -> str:
    if not _KEY.fullmatch(key):
        raise ConfigurationError("the key of a token is up to 64 hexadecimal digits")
    return f"token-{key}{suffix}"


def _read(folder: int, name: str) -> StoredToken | None:
    try:
        # Not to wait for a writer, where somebody has put a pipe there.
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _SAFELY, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        _refuse_unsafe(os.fstat(descriptor), name)
        return StoredToken.from_bytes(os.read(descriptor, _LARGEST_BYTES))
    finally:
        os.close(descriptor)


async def _apart(work: Callable[[], T]) -> T:
    """Do *work* on the disk in a thread, seen through to its end even where the caller is cancelled."""
    doing = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.wait({doing})
    except asyncio.CancelledError:
        await asyncio.wait({doing})
        # Read, so that nobody warns of a failure that nobody waits for any more.
        doing.exception()
        raise
    try:
        return doing.result()
    except OSError as failure:
        raise _unavailable("read or written", failure) from None


def _unavailable(done: str, failure: Exception) -> StoreUnavailableError:
    reason = getattr(failure, "strerror", None) or type(failure).__name__
    return StoreUnavailableError(f"the file of the token cannot be {done}: {reason}")


def _prepare(folder: Path) -> None:
    try:
        make_folders(folder)
    except OSError as failure:
        raise ConfigurationError(f"the folder for the token cannot be made: {failure.strerror}") from None
    os.close(_open_folder(folder))


def _open_folder(folder: Path) -> int:
    """Return a descriptor of *folder*; ConfigurationError if it is a link, another user's, or open to others."""
    descriptor = -1
    try:
        _check_folder(folder.lstat(), folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _SAFELY)
        # Once more: another may have been put in its place since.
        _check_folder(os.fstat(descriptor), folder)
    except BaseException as failure:
        if descriptor >= 0:
            os.close(descriptor)
        if isinstance(failure, OSError):
            raise ConfigurationError(f"the folder for the token cannot be used: {failure.strerror}") from None
        raise
    return descriptor


def _check_folder(found: os.stat_result, folder: Path) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigurationError(f"the folder for the token is a link or no folder: {folder}")
    if found.st_uid != os.geteuid():
        raise ConfigurationError(f"the folder for the token belongs to another user: {folder}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigurationError(f"the folder for the token is open to other users: chmod 700 {folder}")


def _refuse_unsafe(found: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"it is no regular file, remove it: {name}")
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(errno.EPERM, f"it belongs to or is open to other users, remove it or chmod 600 {name}")
