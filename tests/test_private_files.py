"""Private files: created, replaced and protected against other users."""

import os
import stat
from pathlib import Path

import pytest

from kajabi_async.private_files import PrivateFolder, UnsafePathError, check_replaceable, make_folders, replacing
from tests.other_users import VICTIM, as_victim, attack, mode_of, needs_root, shared_folder, victims_file

REPLACE = """
from pathlib import Path
from kajabi_async.private_files import replacing
become(arguments["user"])

def result(path):
    try:
        with replacing(Path(path)) as file:
            file.write(b"secret")
    except OSError as error:
        return error.strerror
    return ""

print(json.dumps([result(path) for path in arguments["paths"]]))
"""
LOGIN = """
from pathlib import Path
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.session import ClientCredentials
become(arguments["user"])

def result(path):
    try:
        credentials_file.write(Path(path), ClientCredentials("some-id", "some-secret"))
        return credentials_file.read(Path(path)).form()["client_id"]
    except CredentialsError as error:
        return str(error)

print(json.dumps([result(path) for path in arguments["paths"]]))
"""


def test_missing_folders_are_for_their_owner_alone_up_to_the_top(tmp_path: Path) -> None:
    """Existing folders are unchanged."""
    tmp_path.chmod(0o755)
    make_folders(tmp_path / "a" / "b" / "c")
    assert [mode_of(tmp_path / each) for each in ("a", "a/b", "a/b/c")] == [0o700] * 3
    make_folders(tmp_path / "a" / "b" / "c")
    assert mode_of(tmp_path) == 0o755


@pytest.mark.parametrize(("before", "after"), [(None, 0o600), (0o600, 0o600), (0o644, 0o644), (0o400, 0o400)])
def test_a_file_is_private_unless_the_one_it_replaces_says_otherwise(
    before: int | None, after: int, tmp_path: Path
) -> None:
    """It never has more permissions than that one."""
    path = tmp_path / "file"
    if before is not None:
        path.touch()
        path.chmod(before)
    with replacing(path) as file:
        file.write(b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", after)
    with replacing(path, keep_mode=False) as file:
        file.write(b"secret")
    assert mode_of(path) == 0o600


@needs_root
def test_what_a_group_may_read_no_other_group_may(tmp_path: Path) -> None:
    """The group is copied with the mode."""
    path = tmp_path / "file"
    path.touch()
    os.chown(path, -1, 4711)
    path.chmod(0o640)
    with replacing(path) as file:
        file.write(b"new")
    assert (mode_of(path), path.stat().st_gid) == (0o640, 4711)


def test_a_block_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    """No half-written and no temporary file."""
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """Its mode is not copied either."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    precious.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(precious)
    with pytest.raises(UnsafePathError, match="it is a link"):
        check_replaceable(link)
    with replacing(link) as file:
        file.write(b"new")
    assert (precious.read_text(), link.is_symlink(), mode_of(link)) == ("precious", False, 0o600)


def test_a_private_folder_keeps_referring_to_itself(tmp_path: Path) -> None:
    """Operations stay in it if its path leads elsewhere, and only its own content is removed."""
    folder = PrivateFolder(tmp_path / "folder")
    assert mode_of(folder.path) == 0o700
    folder.path.rename(tmp_path / "moved")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "rows").write_text("precious")
    with folder.create("rows") as file:
        file.write(b"rows")
    assert mode_of(tmp_path / "moved" / "rows") == 0o600
    folder.move_out("rows", tmp_path / "target")
    folder.discard()
    assert ((tmp_path / "target").read_text(), mode_of(tmp_path / "target")) == ("rows", 0o600)
    assert (tmp_path / "folder" / "rows").read_text() == "precious"


def test_a_folder_that_is_not_private_is_refused(tmp_path: Path) -> None:
    """Open to others, a link, or not a folder."""
    path = tmp_path / "folder"
    path.mkdir()
    for mode in (0o777, 0o750, 0o701):
        path.chmod(mode)
        with pytest.raises(UnsafePathError, match=f"it has mode {mode:04o}"):
            PrivateFolder(path)
    path.rmdir()
    path.symlink_to(tmp_path)
    with pytest.raises(UnsafePathError, match="in the way"):
        PrivateFolder(path)
    path.unlink()
    path.touch()
    with pytest.raises(UnsafePathError, match="in the way"):
        PrivateFolder(path)


def test_a_file_in_it_with_a_second_name_is_refused(tmp_path: Path) -> None:
    """A link too: a library would write to another file."""
    folder = PrivateFolder(tmp_path / "folder")
    (tmp_path / "elsewhere").touch()
    os.link(tmp_path / "elsewhere", folder.path / "hard")
    (folder.path / "soft").symlink_to(tmp_path / "elsewhere")
    for name in ("hard", "soft"):
        with pytest.raises(UnsafePathError, match="remove the folder"):
            folder.prepare(name)
    folder.prepare("new")
    assert stat.S_ISREG((folder.path / "new").lstat().st_mode)
    folder.close()


@needs_root
@pytest.mark.parametrize("sticky", [True, False])
def test_links_and_files_of_another_user_get_nothing(sticky: bool) -> None:
    """In a folder writable by all users, a link is replaced or kept, and its target is not written to."""
    with shared_folder(sticky=sticky) as folder:
        precious = victims_file(folder / "precious", "precious")
        attack(folder, "ln -s precious link; : > theirs; chmod 666 theirs")
        names = ("link", "theirs")
        results = as_victim(REPLACE, paths=[str(folder / name) for name in names])
        assert [result == "" for result in results] == [not sticky] * 2
        if not sticky:
            found = [(folder / name).lstat() for name in names]
            assert [(each.st_uid, stat.S_IMODE(each.st_mode)) for each in found] == [(VICTIM, 0o600)] * 2
        assert precious.read_text() == "precious"
        assert not any(b"secret" in each.read_bytes() for each in folder.iterdir() if each.stat().st_uid != VICTIM)


@needs_root
@pytest.mark.parametrize("sticky", [True, False])
def test_credentials_go_to_no_file_of_another_user(sticky: bool) -> None:
    """`kajabi login` into a shared folder: a planted file or link is replaced or rejected, and never read."""
    with shared_folder(sticky=sticky) as folder:
        precious = victims_file(folder / "precious", "precious")
        attack(folder, "ln -s precious link; : > theirs; chmod 666 theirs")
        paths = [str(folder / name) for name in ("link", "theirs", "new/er/file.toml")]
        *planted, own = as_victim(LOGIN, paths=paths)
        if sticky:
            assert [each.startswith("cannot write the credentials file") for each in planted] == [True] * 2
        else:
            assert planted == ["some-id"] * 2
        assert own == "some-id"
        assert [mode_of(folder / each) for each in ("new", "new/er", "new/er/file.toml")] == [0o700, 0o700, 0o600]
        assert precious.read_text() == "precious"
