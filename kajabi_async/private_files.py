"""Files that only their owner may access: secrets and personal data.

Other users may be able to write to the folder of such a file (/tmp, a shared drive), and put links, files and folders
there. So no link is followed, owner and mode are checked on the open descriptor, and every operation is relative to a
descriptor of the folder, which stays the same even if its path leads elsewhere meanwhile.
"""

import os
import secrets
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

__all__ = [
    "PrivateFolder",
    "UnsafePathError",
    "check_replaceable",
    "make_folders",
    "owner_only",
    "private_folder",
    "replacing",
]

_POSIX: Final = os.name == "posix"
_FOR_OTHERS: Final = 0o077
_OWNER_ONLY: Final = 0o600
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_SAFE_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_FOLDER: Final = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class UnsafePathError(OSError):
    """A file or folder that another user owns, can write to or has put there; ``strerror`` says what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.strerror = problem


def make_folders(path: Path) -> None:
    """Create *path* and its missing parents, each with mode 0700; OSError if that fails.

    `Path.mkdir` creates the parents with the mode of the umask.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def private_folder() -> Generator[Path]:
    """Make a folder of mode 0700 for temporary files, and remove it with them after the block."""
    with tempfile.TemporaryDirectory(prefix="kajabi-") as folder:
        # Without links, as one would lead to a folder that others may exchange.
        yield Path(folder).resolve()


def check_replaceable(path: Path) -> None:
    """Raise UnsafePathError if *path* exists and is not a regular file, or is one that this user may not replace.

    A link is not followed: another user may have put it there to get a different file overwritten.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise UnsafePathError("it is a link: name the file that it leads to, or remove it")
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePathError("it exists and is no regular file: name another")
    if _POSIX and _is_protected_by_sticky_bit(found.st_uid, path.parent.stat()):
        raise UnsafePathError(f"it belongs to another user (uid {found.st_uid}), in a folder with the sticky bit")


def _is_protected_by_sticky_bit(owner: int, folder: os.stat_result) -> bool:
    return bool(folder.st_mode & stat.S_ISVTX) and os.geteuid() not in {0, owner, folder.st_uid}


@contextmanager
def replacing(path: Path, *, keep_mode: bool = True) -> Generator[BinaryIO]:
    """Open a new file of mode 0600 that replaces *path* atomically when the block ends.

    If the block raises, nothing is left and *path* is unchanged. A link is replaced itself, not its target. With
    *keep_mode* the new file gets the mode and group of the replaced one if this user owns it. OSError if writing fails.
    """
    with _OpenFolder.opened(path.parent) as folder:
        temporary = f".{path.name[:100]}.{secrets.token_hex(8)}"
        file = os.fdopen(folder.open(temporary, _NEW | _SAFE_FLAGS), "wb")
        try:
            with file:
                yield file
                file.flush()
                if keep_mode:
                    _copy_mode(folder, path.name, file.fileno())
                os.fsync(file.fileno())
            folder.move(temporary, folder, path.name)
        except BaseException:
            with suppress(OSError):
                folder.remove(temporary)
            raise


@contextmanager
def owner_only() -> Generator[None]:
    """Set the umask so that files created in the block, also by libraries, are for their owner only."""
    before = os.umask(_FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


class _OpenFolder:
    """A folder by its descriptor, so that names in it stay in it; without descriptors (Windows) by its path."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Generator[Self]:
        folder = cls(path, os.open(path, os.O_RDONLY | _FOLDER) if _POSIX else None)
        try:
            yield folder
        finally:
            folder.close()

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def open(self, name: str, flags: int) -> int:
        return os.open(self._path(name), flags, _OWNER_ONLY, dir_fd=self.descriptor)

    def status(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(self._path(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        os.unlink(self._path(name), dir_fd=self.descriptor)

    def names(self) -> list[str]:
        return os.listdir(self.path if self.descriptor is None else self.descriptor)  # noqa: PTH208 - by descriptor

    def reset_time(self, name: str) -> None:
        os.utime(self._path(name), ns=(0, 0), dir_fd=self.descriptor, follow_symlinks=False)

    def move(self, name: str, folder: "_OpenFolder", new_name: str) -> None:
        source, target = self._path(name), folder._path(new_name)  # noqa: SLF001 - of the same class
        os.replace(source, target, src_dir_fd=self.descriptor, dst_dir_fd=folder.descriptor)
        if folder.descriptor is not None:
            os.fsync(folder.descriptor)

    def _path(self, name: str) -> Path | str:
        return self.path / name if self.descriptor is None else name


class PrivateFolder:
    """A folder of mode 0700 that this user owns, kept open until `close`."""

    def __init__(self, path: Path) -> None:
        """Open the folder *path*, created if it is missing.

        UnsafePathError if it is a link, not a folder, another user's or open to others; OSError if it cannot be made.
        """
        self.path = path
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise UnsafePathError("it is in the way, a link or no folder: remove it")
        self._folder = _OpenFolder(path, os.open(path, os.O_RDONLY | _FOLDER | _SAFE_FLAGS) if _POSIX else None)
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the folder; a second call does nothing."""
        self._folder.close()

    def create(self, name: str) -> BinaryIO:
        """Open a new file of mode 0600, replacing any of that name."""
        with suppress(FileNotFoundError):
            self._folder.remove(name)
        return os.fdopen(self._folder.open(name, _NEW | _SAFE_FLAGS), "wb")

    def prepare(self, name: str) -> None:
        """Create *name* empty unless it exists; UnsafePathError unless it is this user's regular file with one name.

        For libraries that open a file by its path.
        """
        with suppress(FileExistsError):
            os.close(self._folder.open(name, _NEW | _SAFE_FLAGS))
        found = self._folder.status(name)
        if found is not None and not _is_ours_alone(found):
            raise UnsafePathError(f"{name} in it is a link or another user's: remove the folder")

    def names(self) -> list[str]:
        """Return the names in the folder."""
        return self._folder.names()

    def forget_writes(self, name: str) -> None:
        """Make `was_written` return False for a file until it is written again; OSError if it does not exist.

        Without descriptors (Windows) this does nothing, and `was_written` is always True.
        """
        if self._folder.descriptor is not None:
            self._folder.reset_time(name)

    def was_written(self, name: str) -> bool:
        """Return whether a file was written since `forget_writes`.

        It does not open the file: closing it would release the locks that this process has on it.
        """
        found = self._folder.status(name)
        return found is not None and found.st_mtime_ns != 0

    def remove(self, *names: str) -> None:
        """Remove files, ignoring those that do not exist."""
        for name in names:
            with suppress(FileNotFoundError):
                self._folder.remove(name)

    def make_durable(self, name: str) -> None:
        """Flush a file to the disk (fsync)."""
        descriptor = self._folder.open(name, os.O_RDWR | _SAFE_FLAGS)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def move_out(self, name: str, target: Path) -> None:
        """Move a file to *target* atomically, replacing it.

        The file keeps mode 0600, unless *target* is a regular file of this user: then it takes its mode and group.
        """
        with _OpenFolder.opened(target.parent) as folder:
            descriptor = self._folder.open(name, os.O_RDWR | _SAFE_FLAGS)
            try:
                _copy_mode(folder, target.name, descriptor)
            finally:
                os.close(descriptor)
            self._folder.move(name, folder, target.name)

    def discard(self) -> None:
        """Close the folder, and remove it if it is empty."""
        opened = None if self._folder.descriptor is None else os.fstat(self._folder.descriptor)
        self.close()
        with suppress(OSError):
            # The path may lead to another folder by now, which is kept.
            if opened is None or os.path.samestat(opened, self.path.lstat()):
                self.path.rmdir()

    def _check(self) -> None:
        if self._folder.descriptor is None:
            return
        found = os.fstat(self._folder.descriptor)
        if found.st_uid != os.geteuid():
            raise UnsafePathError(f"it belongs to another user (uid {found.st_uid}): remove it, or use another folder")
        if stat.S_IMODE(found.st_mode) & _FOR_OTHERS:
            raise UnsafePathError(
                f"it has mode {stat.S_IMODE(found.st_mode):04o}, so that others may have put files into it: remove it, "
                "or chmod 700 it if you know what is in it"
            )


def _is_ours_alone(found: os.stat_result) -> bool:
    if not stat.S_ISREG(found.st_mode):
        return False
    # Another user may have added a second name (a hard link), to have the mode of that file copied.
    return not _POSIX or (found.st_uid == os.geteuid() and found.st_nlink == 1)


def _copy_mode(folder: _OpenFolder, name: str, descriptor: int) -> None:
    """Set the mode and group of *name*, if it is this user's file, on *descriptor*; never grant more access."""
    replaced = folder.status(name)
    if not _POSIX or replaced is None or not _is_ours_alone(replaced):
        return
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    if os.fstat(descriptor).st_gid != replaced.st_gid:
        try:
            os.fchown(descriptor, -1, replaced.st_gid)
        except OSError:
            # The permissions of the old group are not for another one.
            mode &= ~0o070
    os.fchmod(descriptor, mode)
