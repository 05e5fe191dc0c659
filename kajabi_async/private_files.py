"""Files that are for their owner alone: secrets, and what is known about people.

Others may write to the folder such a file goes to (/tmp, a shared drive), and put links, files and folders of their own
there. So nothing is followed, owner and mode are looked at through what was opened, and everything is done by
descriptor, in a folder that stays the same whatever its name leads to meanwhile.
"""

import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

__all__ = ["PrivateFolder", "UnsafePathError", "check_replaceable", "make_folders", "owner_only", "replacing"]

_POSIX: Final = os.name == "posix"
_FOR_OTHERS: Final = 0o077
_OWNER_ONLY: Final = 0o600
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_SAFELY: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_FOLDER: Final = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class UnsafePathError(OSError):
    """A file or folder that somebody else owns, may write to or has put there; ``strerror`` says what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.strerror = problem


def make_folders(path: Path) -> None:
    """Make *path* and whatever of its parents is missing, each with mode 0700; OSError if that cannot be done.

    `Path.mkdir` makes the parents with the mode of the umask.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def check_replaceable(path: Path) -> None:
    """Raise UnsafePathError if *path* is there and no regular file, or one that we may not replace.

    A link is not followed: it may have been put there to have another file overwritten.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise UnsafePathError("it is a link: name the file that it leads to, or remove it")
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePathError("it is there and no regular file: name another")
    if _POSIX and _is_kept_by_sticky_bit(found.st_uid, path.parent.stat()):
        raise UnsafePathError(f"it belongs to another user (uid {found.st_uid}), in a folder where each keeps his own")


def _is_kept_by_sticky_bit(owner: int, folder: os.stat_result) -> bool:
    return bool(folder.st_mode & stat.S_ISVTX) and os.geteuid() not in {0, owner, folder.st_uid}


@contextmanager
def replacing(path: Path, *, keep_mode: bool = True) -> Generator[BinaryIO]:
    """Open a new file, of mode 0600, that takes the place of *path* atomically when the block ends.

    If the block raises, nothing is left and *path* is as it was. A link is replaced itself, not what it leads to. With
    *keep_mode* a file of ours that is replaced passes its own mode and group on. OSError if it cannot be written.
    """
    with _Place.opened(path.parent) as folder:
        fresh = f".{path.name[:100]}.{secrets.token_hex(8)}"
        file = os.fdopen(folder.open(fresh, _NEW | _SAFELY), "wb")
        try:
            with file:
                yield file
                file.flush()
                if keep_mode:
                    _pass_mode_on(folder, path.name, file.fileno())
                os.fsync(file.fileno())
            folder.move(fresh, folder, path.name)
        except BaseException:
            with suppress(OSError):
                folder.remove(fresh)
            raise


@contextmanager
def owner_only() -> Generator[None]:
    """Have what this process makes meanwhile be for its owner alone, also by the hands of a library."""
    before = os.umask(_FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


class _Place:
    """A folder held open, so that names in it are names in this one; without descriptors (Windows) its path."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Generator[Self]:
        place = cls(path, os.open(path, os.O_RDONLY | _FOLDER) if _POSIX else None)
        try:
            yield place
        finally:
            place.close()

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

    def move(self, name: str, folder: "_Place", new_name: str) -> None:
        source, target = self._path(name), folder._path(new_name)  # noqa: SLF001 - of the same class
        os.replace(source, target, src_dir_fd=self.descriptor, dst_dir_fd=folder.descriptor)
        if folder.descriptor is not None:
            os.fsync(folder.descriptor)

    def _path(self, name: str) -> Path | str:
        return self.path / name if self.descriptor is None else name


class PrivateFolder:
    """A folder of mode 0700 that belongs to us, held open until `close`."""

    def __init__(self, path: Path) -> None:
        """Make the folder *path* unless it is there, and hold it.

        UnsafePathError if it is a link, no folder, another user's or open to others; OSError if it cannot be made.
        """
        self.path = path
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise UnsafePathError("it is in the way, a link or no folder: remove it")
        self._place = _Place(path, os.open(path, os.O_RDONLY | _FOLDER | _SAFELY) if _POSIX else None)
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the folder go; a second call does nothing."""
        self._place.close()

    def create(self, name: str) -> BinaryIO:
        """Open a new file, of mode 0600, in the place of any that is there."""
        with suppress(FileNotFoundError):
            self._place.remove(name)
        return os.fdopen(self._place.open(name, _NEW | _SAFELY), "wb")

    def prepare(self, name: str) -> None:
        """Make sure that *name* is a file of ours with one name, empty if it was not there; UnsafePathError if not.

        For libraries that open a file by its path themselves.
        """
        with suppress(FileExistsError):
            os.close(self._place.open(name, _NEW | _SAFELY))
        found = self._place.status(name)
        if found is not None and not _is_ours_alone(found):
            raise UnsafePathError(f"{name} in it is a link or another user's: remove the folder")

    def names(self) -> list[str]:
        """Return the names of what is in it."""
        return self._place.names()

    def forget_writes(self, name: str) -> None:
        """Have `was_written` be False for a file until it is written again; OSError if it is not there.

        Without descriptors (Windows) nothing can be told, and `was_written` is always True.
        """
        if self._place.descriptor is not None:
            self._place.reset_time(name)

    def was_written(self, name: str) -> bool:
        """Return whether a file was written since `forget_writes`.

        Nothing is opened for it: closing a file would drop the locks that this process has on it.
        """
        found = self._place.status(name)
        return found is not None and found.st_mtime_ns != 0

    def remove(self, *names: str) -> None:
        """Remove files; those that are not there are passed over."""
        for name in names:
            with suppress(FileNotFoundError):
                self._place.remove(name)

    def make_durable(self, name: str) -> None:
        """Return once what a file holds is on the disk."""
        descriptor = self._place.open(name, os.O_RDWR | _SAFELY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def move_out(self, name: str, target: Path) -> None:
        """Put a file in the place of *target* atomically.

        It keeps mode 0600, unless *target* is a regular file of ours: then it takes that one's mode and group.
        """
        with _Place.opened(target.parent) as folder:
            descriptor = self._place.open(name, os.O_RDWR | _SAFELY)
            try:
                _pass_mode_on(folder, target.name, descriptor)
            finally:
                os.close(descriptor)
            self._place.move(name, folder, target.name)

    def discard(self) -> None:
        """Remove the folder, if nothing is in it, and let it go."""
        mine = None if self._place.descriptor is None else os.fstat(self._place.descriptor)
        self.close()
        with suppress(OSError):
            # Its name may lead to another folder by now, which is left alone.
            if mine is None or os.path.samestat(mine, self.path.lstat()):
                self.path.rmdir()

    def _check(self) -> None:
        if self._place.descriptor is None:
            return
        found = os.fstat(self._place.descriptor)
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
    # A second name may be one that others chose, so as to have their own file's mode taken over.
    return not _POSIX or (found.st_uid == os.geteuid() and found.st_nlink == 1)


def _pass_mode_on(folder: _Place, name: str, descriptor: int) -> None:
    """Give the file behind *descriptor* the mode and group of *name*, if that is ours; never more than it had."""
    replaced = folder.status(name)
    if not _POSIX or replaced is None or not _is_ours_alone(replaced):
        return
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    if os.fstat(descriptor).st_gid != replaced.st_gid:
        try:
            os.fchown(descriptor, -1, replaced.st_gid)
        except OSError:
            # What its group could do is not for another group.
            mode &= ~0o070
    os.fchmod(descriptor, mode)
