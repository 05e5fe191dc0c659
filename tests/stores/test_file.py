"""A token in a file: its permissions, and its state after a crash or a killed holder."""

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.errors import ConfigurationError, StoreUnavailableError
from kajabi_async.session.auth.store import MemoryTokenStore
from kajabi_async.stores.file import FileTokenStore
from tests.other_users import ATTACKER, as_victim, needs_root
from tests.stores.contract import KEY, saved, token


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """A folder of mode 0700 and files of mode 0600, whatever the umask is."""
    before = os.umask(0)
    try:
        store = FileTokenStore(tmp_path / "a" / "tokens")
        assert await saved(store)
    finally:
        os.umask(before)
    folder = tmp_path / "a" / "tokens"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert f"token-{KEY}.json" in modes


async def test_a_folder_that_others_can_open_or_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """The error says what to do."""
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    with pytest.raises(ConfigurationError, match=rf"open to other users: chmod 700 {re.escape(str(loose))}$"):
        FileTokenStore(loose)
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(kept)
    with pytest.raises(ConfigurationError, match=rf"is a link or not a folder: {re.escape(str(link))}$"):
        FileTokenStore(link)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=rf"is a link or not a folder: {re.escape(str(tmp_path / 'file'))}$"):
        FileTokenStore(tmp_path / "file")
    with pytest.raises(ConfigurationError, match=r"^the folder for the token cannot be made: Not a directory$"):
        FileTokenStore(tmp_path / "file" / "tokens")


async def test_a_file_that_is_a_link_or_open_to_others_is_not_read(tmp_path: Path) -> None:
    """Another user may have put it there."""
    store = FileTokenStore(tmp_path / "tokens")
    assert await saved(store)
    file = tmp_path / "tokens" / f"token-{KEY}.json"
    file.chmod(0o644)
    with pytest.raises(StoreUnavailableError, match=rf"open to other users, remove it or chmod 600 token-{KEY}\.json$"):
        await store.load(KEY)
    moved = file.rename(tmp_path / "elsewhere")
    moved.chmod(0o600)
    file.symlink_to(moved)
    with pytest.raises(StoreUnavailableError):
        await store.load(KEY)
    lock = tmp_path / "tokens" / f"token-{KEY}.lock"
    lock.unlink()
    target = tmp_path / "target"
    lock.symlink_to(target)
    with pytest.raises(StoreUnavailableError):
        await store.acquire(KEY)
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"access": 5}', b'{"access": "a"}', b"\xff\xfe"])
async def test_an_invalid_token_is_none_and_may_be_overwritten(tmp_path: Path, content: bytes) -> None:
    """A truncated file blocks no client."""
    store = FileTokenStore(tmp_path / "tokens")
    file = tmp_path / "tokens" / f"token-{KEY}.json"
    file.write_bytes(content)
    file.chmod(0o600)
    assert await store.load(KEY) is None
    assert await saved(store)
    assert await store.load(KEY) is not None


async def test_a_write_that_fails_leaves_the_old_token_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as with a full disk."""
    store = FileTokenStore(tmp_path / "tokens")
    assert await saved(store)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailableError, match=r"^the file of the token cannot be read or written: No space left"):
        await saved(store, replaces=1)
    monkeypatch.undo()
    found = await store.load(KEY)
    assert found is not None
    assert found.version == 1
    assert sorted(file.suffix for file in (tmp_path / "tokens").iterdir()) == [".json", ".lock"]


async def test_nothing_is_removed_while_another_has_the_lease(tmp_path: Path) -> None:
    """The holder is about to store another version."""
    store, other = (FileTokenStore(tmp_path / "tokens") for _ in range(2))
    assert await saved(store)
    lease = await other.acquire(KEY)
    assert lease is not None
    await store.discard(KEY, version=1)
    assert await store.load(KEY) is not None
    await other.release(KEY, lease)
    await store.discard(KEY, version=1)
    assert await store.load(KEY) is None


async def test_a_token_that_was_saved_survives_a_power_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced before it is renamed, and the folder before the call returns."""
    store = FileTokenStore(tmp_path / "tokens")
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replaced(*names: Any, **folders: Any) -> None:
        steps.append("replace")
        replace(*names, **folders)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    assert await saved(store)
    assert steps == ["file", "replace", "folder"]


def _open_under(folder: Path) -> list[str]:
    """Return the paths under *folder* that this process has open."""
    opened: list[str] = []
    for descriptor in Path("/proc/self/fd").iterdir():
        # The descriptor of the iteration itself is closed by now.
        with suppress(FileNotFoundError):
            opened.append(str(descriptor.readlink()))
    return [path for path in opened if path.startswith(str(folder))]


@contextmanager
def _rescued_from_a_pipe(path: Path) -> Generator[list[int]]:
    """Become the writer of the pipe *path* after two seconds: only that ends a thread that waits for one."""
    opened: list[int] = []
    timer = asyncio.get_running_loop().call_later(
        2, lambda: opened.append(os.open(path, os.O_RDWR | os.O_NONBLOCK, 0o600))
    )
    try:
        yield opened
    finally:
        timer.cancel()


async def test_a_path_that_is_no_file_is_not_read_and_leaves_nothing_open(tmp_path: Path) -> None:
    """Reading a pipe would wait without end."""
    store = FileTokenStore(tmp_path / "tokens")
    file = tmp_path / "tokens" / f"token-{KEY}.json"
    makes: list[Callable[[], None]] = [lambda: file.mkdir(mode=0o700), lambda: os.mkfifo(file, 0o600)]
    for make in makes:
        make()
        with _rescued_from_a_pipe(file) as late:
            for _ in range(3):
                with pytest.raises(StoreUnavailableError, match=rf"not a regular file, remove it: token-{KEY}\.json$"):
                    await store.load(KEY)
        assert late == []
        assert _open_under(tmp_path) == []
        file.rmdir() if file.is_dir() else file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(StoreUnavailableError):
        await store.load(KEY)


async def test_a_huge_file_is_invalid(tmp_path: Path) -> None:
    """Reading stops at the largest size of a token, and the next one overwrites it."""
    store = FileTokenStore(tmp_path / "tokens")
    file = tmp_path / "tokens" / f"token-{KEY}.json"
    file.touch(0o600)
    os.truncate(file, 2**40)
    assert await store.load(KEY) is None
    assert await saved(store)
    assert file.stat().st_size < 1000


async def test_a_missing_folder_is_created_again_with_its_mode(tmp_path: Path) -> None:
    """The lock would create it open to others."""
    folder = tmp_path / "a" / "tokens"
    store = FileTokenStore(folder)
    shutil.rmtree(tmp_path / "a")
    assert await store.load(KEY) is None
    assert await saved(store)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder.parent, folder)] == [0o700, 0o700]


async def test_a_folder_that_others_have_opened_since_is_not_used(tmp_path: Path) -> None:
    """Nor is a link or a file in its place."""
    folder = tmp_path / "tokens"
    store = FileTokenStore(folder)
    folder.chmod(0o755)
    with pytest.raises(StoreUnavailableError, match="chmod 700"):
        await store.acquire(KEY)
    folder.chmod(0o700)
    moved = folder.rename(tmp_path / "moved")
    folder.symlink_to(moved)
    with pytest.raises(StoreUnavailableError, match="link"):
        await store.acquire(KEY)
    folder.unlink()
    folder.touch()
    with pytest.raises(StoreUnavailableError):
        await store.acquire(KEY)
    with pytest.raises(StoreUnavailableError):
        await store.load(KEY)


async def test_a_file_system_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an unavailable store."""
    store = FileTokenStore(tmp_path / "tokens")

    def acquire(_: Any) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("kajabi_async.stores.file.FileLock.acquire", acquire)
    with pytest.raises(StoreUnavailableError, match=r"^the file of the token cannot be locked: NotImplementedError$"):
        await store.acquire(KEY)


async def test_nothing_is_written_without_the_lease(tmp_path: Path) -> None:
    """Nor with a released one."""
    store = FileTokenStore(tmp_path / "tokens")
    lease = await store.acquire(KEY)
    assert lease is not None
    await store.release(KEY, lease)
    assert not await store.save(KEY, token(), lease=lease, replaces=0)


async def test_a_write_is_completed_although_its_caller_is_cancelled(tmp_path: Path) -> None:
    """Half a token is invalid."""
    store = FileTokenStore(tmp_path / "tokens")
    lease = await store.acquire(KEY)
    assert lease is not None
    saving = asyncio.create_task(store.save(KEY, token(), lease=lease, replaces=0))
    await asyncio.sleep(0)
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    await store.release(KEY, lease)
    assert await store.load(KEY) is not None


HOLDER = """
import asyncio, sys
from kajabi_async.stores.file import FileTokenStore

async def main():
    store = FileTokenStore(sys.argv[1])
    assert await store.acquire("ab12")
    print("held", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_holder_that_is_killed_is_replaced_at_once(tmp_path: Path) -> None:
    """The lock ends with the process."""
    folder = tmp_path / "tokens"
    store = FileTokenStore(folder)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        assert await store.acquire(KEY) is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    lease = await store.acquire(KEY)
    assert lease is not None
    await store.release(KEY, lease)


@pytest.mark.parametrize("key", ["", "../x", "a/b", "xyz", "a" * 65])
async def test_a_key_names_no_other_file(tmp_path: Path, key: str) -> None:
    """The key becomes part of a file name."""
    with pytest.raises(ConfigurationError, match="hexadecimal"):
        await FileTokenStore(tmp_path / "tokens").load(key)


@pytest.mark.parametrize("seconds", [0, 0.5, -1, True, "20", float("inf"), float("nan")])
def test_a_lease_is_long_enough_to_request_a_token(seconds: Any) -> None:
    """At least a second."""
    with pytest.raises(ConfigurationError, match="lease_seconds"):
        MemoryTokenStore(lease_seconds=seconds)


async def test_a_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    """A user who can write to the parent folder could redirect reads and writes of tokens."""
    folder, elsewhere = tmp_path / "tokens", tmp_path / "elsewhere"
    store = FileTokenStore(folder)
    elsewhere.mkdir(mode=0o700)
    lease = await store.acquire(KEY)
    assert lease is not None
    folder.rename(tmp_path / "moved")
    folder.symlink_to(elsewhere)
    for call in (lambda: store.load(KEY), lambda: store.save(KEY, token(), lease=lease, replaces=0)):
        with pytest.raises(StoreUnavailableError, match="is a link or not a folder"):
            await call()
    assert list(elsewhere.iterdir()) == []


async def test_a_folder_exchanged_between_check_and_opening_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Owner and mode are those of the opened folder."""
    folder, elsewhere = tmp_path / "tokens", tmp_path / "elsewhere"
    store = FileTokenStore(folder)
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    really_open = os.open

    def exchanging(path: Any, *arguments: Any, **keywords: Any) -> int:
        if not elsewhere.is_symlink() and elsewhere.exists() and str(path).startswith(str(folder)):
            folder.rename(tmp_path / "moved")
            elsewhere.rename(folder)
        return really_open(path, *arguments, **keywords)

    monkeypatch.setattr(os, "open", exchanging)
    with pytest.raises(StoreUnavailableError, match=rf"open to other users: chmod 700 {re.escape(str(folder))}$"):
        await store.load(KEY)
    assert _open_under(tmp_path) == []


@needs_root
def test_the_user_that_counts_is_the_one_that_files_are_opened_as(tmp_path: Path) -> None:
    """A program with the rights of its owner, run by another user, does not trust that user's folders."""
    tmp_path.chmod(0o755)
    folder = tmp_path / "tokens"
    folder.mkdir(mode=0o700)
    os.chown(folder, ATTACKER, ATTACKER)
    said = as_victim(
        """
from kajabi_async.errors import ConfigurationError
from kajabi_async.stores.file import FileTokenStore
os.setresuid(arguments["attacker"], 0, 0)
try:
    FileTokenStore(arguments["folder"])
except ConfigurationError as error:
    print(json.dumps(str(error)))
else:
    print(json.dumps("trusted"))
""",
        folder=str(folder),
        attacker=ATTACKER,
    )
    assert said == f"the folder for the token belongs to another user: {folder}"


def test_a_folder_is_a_path() -> None:
    """Anything else is refused by name."""
    odd: Any = 5
    with pytest.raises(ConfigurationError, match=r"^the folder for the token must be a path, got int$"):
        FileTokenStore(odd)
