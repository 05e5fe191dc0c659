"""An export into a folder that other users can write to: they can neither read its data nor get a file overwritten."""

import asyncio
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from kajabi_async import ExportError, InvalidArgumentError, Kajabi
from kajabi_async.export import export
from kajabi_async.testing import FakeKajabi
from tests.other_users import (
    VICTIM,
    as_victim,
    attack,
    attacking,
    mode_of,
    needs_root,
    shared_folder,
    victims_file,
)

# Each test starts a process or two.
pytestmark = pytest.mark.thorough

EXPORT = """
import asyncio, tempfile
from pathlib import Path
from kajabi_async import Kajabi, KajabiError
from kajabi_async.export import export

async def main():
    settings = {name: arguments[name] for name in ("client_id", "client_secret", "base_url")}
    async with Kajabi(**settings) as api:
        with tempfile.TemporaryDirectory() as folder:
            await export(api.customers.list(include="offers"), Path(folder) / "warm.csv")
        become(arguments["user"])
        result = []
        for _ in range(arguments["times"]):
            try:
                report = await export(api.customers.list(include="offers"), arguments["path"])
            except KajabiError as error:
                result.append([type(error).__name__, str(error)])
            else:
                result.append(["", report.rows])
    print(json.dumps(result))

asyncio.run(main())
"""


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.thorough)], ids=["sticky", "not sticky"])
def folder(request: pytest.FixtureRequest) -> Generator[Path]:
    with shared_folder(sticky=request.param) as made:
        yield made


async def exported(fake: FakeKajabi, path: Path, *, times: int = 1) -> list[Any]:
    """Export as the victim, and return the name and text of the error, or an empty name and the number of rows."""
    message: list[Any] = await asyncio.to_thread(
        as_victim,
        EXPORT,
        path=str(path),
        times=times,
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        base_url=fake.base_url,
    )
    return message


def content_of(folder: Path) -> bytes:
    """Return the content of all files under *folder*."""
    return b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file() and not each.is_symlink())


def _paths_in(folder: Path) -> set[Path]:
    return set(folder.iterdir())


@needs_root
async def test_files_are_for_their_owner_alone(fake: FakeKajabi, folder: Path) -> None:
    """Whatever the umask is."""
    assert await exported(fake, folder / "customers.csv") == [["", 350]]
    files = [folder / "customers.csv", folder / "customers.offers.csv"]
    assert _paths_in(folder) == set(files)
    assert [(mode_of(each), each.stat().st_uid) for each in files] == [(0o600, VICTIM)] * 2


@needs_root
async def test_a_checkpoint_that_another_user_has_planted_is_refused(fake: FakeKajabi, folder: Path) -> None:
    """Its links lead to a file of the victim and to a database of the attacker; neither is written to."""
    precious = victims_file(folder / "precious", "precious")
    attack(
        folder,
        "mkdir c.csv.partial spy; : > spy/rows; ln -s ../precious c.csv.partial/c.csv; "
        "ln -s ../spy/rows c.csv.partial/journal.sqlite; ln -s ../precious c.csv.partial/c.offers.csv",
    )
    ((kind, text),) = await exported(fake, folder / "c.csv")
    assert kind == "ExportError"
    assert "belongs to another user" in text
    assert precious.read_text() == "precious"
    assert content_of(folder / "spy") == b""
    assert not (folder / "c.csv").exists()


@needs_root
@pytest.mark.parametrize(
    "name",
    [
        "c.csv",
        pytest.param("c.offers.csv", marks=pytest.mark.thorough),
        pytest.param("c.other.csv", marks=pytest.mark.thorough),
    ],
)
async def test_a_link_in_the_place_of_a_file_is_refused_before_anything_is_sent(
    name: str, fake: FakeKajabi, folder: Path
) -> None:
    """The target of the link is unchanged."""
    precious = victims_file(folder / "precious", "precious")
    attack(folder, f"ln -s precious {name}")
    ((kind, text),) = await exported(fake, folder / "c.csv")
    assert (kind, "it is a link" in text) == ("InvalidArgumentError", True)
    assert precious.read_text() == "precious"


@needs_root
async def test_the_mode_of_another_users_file_is_not_taken_over(fake: FakeKajabi, folder: Path) -> None:
    """If it can be replaced, the new file is private to the victim; otherwise the export fails at the start."""
    attack(folder, ": > c.csv; chmod 666 c.csv")
    ((kind, text),) = await exported(fake, folder / "c.csv")
    if mode_of(folder) & 0o1000:
        assert (kind, "belongs to another user" in text) == ("InvalidArgumentError", True)
        assert content_of(folder) == b""
    else:
        assert kind == ""
        assert (mode_of(folder / "c.csv"), (folder / "c.csv").stat().st_uid) == (0o600, VICTIM)


@needs_root
async def test_the_mode_of_a_file_with_a_second_name_is_not_taken_over(fake: FakeKajabi, folder: Path) -> None:
    """Another user may have added that name to a public file."""
    victims_file(folder / "public", "for all", 0o644)
    os.link(folder / "public", folder / "c.csv")
    assert await exported(fake, folder / "c.csv") == [["", 350]]
    assert mode_of(folder / "c.csv") == 0o600
    assert (folder / "public").read_text() == "for all"


@needs_root
async def test_a_folder_that_is_exchanged_again_and_again_gets_no_rows(fake: FakeKajabi) -> None:
    """Without the sticky bit anyone can rename the checkpoint; an export then fails or succeeds, revealing nothing."""
    with shared_folder(sticky=False) as folder:
        precious = victims_file(folder / "precious", "precious")
        attack(folder, "mkdir spy; : > spy/journal.sqlite; : > spy/journal.sqlite-wal; ln -s ../precious spy/c.csv")
        exchange = (
            "mv -T c.csv.partial mine 2>/dev/null && mv -T spy c.csv.partial; sleep 0.01; mv -T c.csv.partial spy"
        )
        with attacking(folder, exchange):
            message = await exported(fake, folder / "c.csv", times=3)
        assert {kind for kind, _ in message} <= {"", "ExportError"}
        assert precious.read_text() == "precious"
        theirs = [each for each in folder.rglob("*") if each.is_file() and each.stat().st_uid != VICTIM]
        assert all(b"example.com" not in each.read_bytes() for each in theirs)
        assert all(mode_of(each) & 0o077 == 0 for each in folder.rglob("*.csv") if not each.is_symlink())


async def test_a_checkpoint_that_others_could_write_to_is_refused(api: Kajabi, tmp_path: Path) -> None:
    """Even if the same user owns it."""
    (tmp_path / "c.csv.partial").mkdir()
    (tmp_path / "c.csv.partial").chmod(0o777)
    with pytest.raises(ExportError, match=r"c.csv.partial.* is not safe: it has mode 0777"):
        await export(api.customers.list(), tmp_path / "c.csv")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
async def test_a_file_that_is_replaced_passes_its_mode_on(mode: int, api: Kajabi, tmp_path: Path) -> None:
    """A new file is private to its owner."""
    path = tmp_path / "customers.csv"
    path.write_text("old")
    path.chmod(mode)
    await export(api.customers.list(include="offers"), path)
    assert (mode_of(path), mode_of(tmp_path / "customers.offers.csv")) == (mode, 0o600)


async def test_a_path_that_is_no_regular_file_is_not_replaced(api: Kajabi, fake: FakeKajabi, tmp_path: Path) -> None:
    """Neither an own link nor a pipe, and nothing is requested."""
    (tmp_path / "elsewhere.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, message in (("link.csv", "it is a link"), ("pipe.csv", "no regular file")):
        with pytest.raises(InvalidArgumentError, match=message):
            await export(api.customers.list(), tmp_path / name)
    assert (tmp_path / "elsewhere.csv").read_text() == "old"
    assert not fake.requests
