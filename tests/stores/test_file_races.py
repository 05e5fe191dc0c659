"""A token in a file while other threads, processes and users change what is around it."""

import asyncio
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.stores.file import FileTokenStore
from tests.stores.contract import KEY, saved, token

TOKEN = f"token-{KEY}.json"


async def test_no_link_is_followed_and_no_descriptor_is_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is opened as a folder, a file without waiting for the writer of a pipe, and a new file is new."""
    store, really_open = FileTokenStore(tmp_path / "tokens"), os.open
    opened: dict[str, int] = {}

    def noted(path: Any, flags: int, *mode: int, **folder: int) -> int:
        opened[Path(path).name.partition(f"{TOKEN}.")[1] or Path(path).name] = flags
        return really_open(path, flags, *mode, **folder)

    monkeypatch.setattr(os, "open", noted)
    assert await saved(store)
    assert await store.load(KEY) is not None
    for name, wanted in (("tokens", os.O_DIRECTORY), (TOKEN, os.O_NONBLOCK), (f"{TOKEN}.", os.O_CREAT | os.O_EXCL)):
        flags = wanted | os.O_NOFOLLOW | os.O_CLOEXEC
        assert (name, opened[name] & flags) == (name, flags)


async def test_a_folder_exchanged_for_a_link_between_check_and_opening_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link may lead to a folder of the same user."""
    folder, really_open = tmp_path / "tokens", os.open
    store = FileTokenStore(folder)

    def exchanging(path: Any, *arguments: Any, **keywords: Any) -> int:
        if not folder.is_symlink():
            folder.symlink_to(folder.rename(tmp_path / "moved"))
        return really_open(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", exchanging)
    with pytest.raises(StoreUnavailableError, match=r"^the folder for the token cannot be used: [A-Z]"):
        await store.load(KEY)


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names it."""
    folder = tmp_path / "tokens"
    FileTokenStore(folder)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(
        ConfigurationError, match=rf"^the folder for the token belongs to another user: {re.escape(str(folder))}$"
    ):
        FileTokenStore(folder)


async def test_a_file_that_another_program_removes_first_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that empties the folder."""
    store, unlink = FileTokenStore(tmp_path / "tokens"), os.unlink
    assert await saved(store)

    def overtaken(name: str, *, dir_fd: int) -> None:
        unlink(name, dir_fd=dir_fd)
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", overtaken)
    await store.discard(KEY, version=1)
    assert await store.load(KEY) is None


async def test_a_new_file_that_another_program_removes_is_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleaning up finds nothing, and hides nothing."""
    store, fsync = FileTokenStore(tmp_path / "tokens"), os.fsync

    def emptied(descriptor: int) -> None:
        fsync(descriptor)
        for file in (tmp_path / "tokens").glob(f"{TOKEN}.*"):
            file.unlink()

    monkeypatch.setattr(os, "fsync", emptied)
    with pytest.raises(StoreUnavailableError, match="cannot be read or written: No such file"):
        await saved(store)


async def test_a_lease_that_another_has_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop would stand still."""
    store, other = (FileTokenStore(tmp_path / "tokens") for _ in range(2))
    lease = await store.acquire(KEY)
    assert lease is not None

    def fail(_: float) -> None:
        pytest.fail("the lock was waited for")

    monkeypatch.setattr(time, "sleep", fail)
    assert await other.acquire(KEY) is None
    await store.release(KEY, lease)


def test_a_lease_taken_on_one_thread_is_released_on_another(tmp_path: Path) -> None:
    """A store may outlive the thread of an event loop."""
    store, other = (FileTokenStore(tmp_path / "tokens") for _ in range(2))
    with ThreadPoolExecutor(1) as thread:
        lease = thread.submit(lambda: asyncio.run(store.acquire(KEY))).result()
        assert lease is not None
        # With a reference to the lock: garbage collection may release it too.
        (lock,) = store._locks.values()
        asyncio.run(store.release(KEY, lease))
        assert asyncio.run(saved(other))
        assert not lock.is_locked


async def test_a_lock_that_cannot_be_released_is_left_to_the_end_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is saved by then."""
    store = FileTokenStore(tmp_path / "tokens")
    lease = await store.acquire(KEY)
    assert lease is not None

    (lock,) = store._locks.values()

    def fail(_: Any) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("kajabi_async.stores.file.FileLock.release", fail)
        await store.release(KEY, lease)
    assert not await store.save(KEY, token(), lease=lease, replaces=0)
    assert lock.is_locked
