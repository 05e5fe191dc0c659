"""The sources of credentials, and which credentials are rejected."""

import os
from pathlib import Path
from typing import Any

import pytest

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.credentials import keyring as keyring_store
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials.chain import FoundCredentials, credentials_path, find_credentials
from kajabi_async.cli.doctor.machine import check_credentials_file
from kajabi_async.errors import ConfigurationError
from kajabi_async.session import ClientCredentials
from tests.cli.conftest import Command, MemoryKeyring

KEY = ClientCredentials("the-id", "the-secret")


def _of(name: str) -> ClientCredentials:
    return ClientCredentials(f"{name}-id", f"{name}-secret")


@pytest.fixture
def path() -> Path:
    """The path of the credentials file."""
    return credentials_path()


def _refusal() -> CredentialsError:
    with pytest.raises(CredentialsError) as caught:
        find_credentials()
    return caught.value


def test_the_environment_wins_over_the_file_and_the_file_over_the_keyring(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source is read only if those before it have nothing."""
    keyring_store.write(_of("keyring"))
    assert find_credentials() == FoundCredentials(_of("keyring"), "keyring", "the system keyring")
    credentials_file.write(path, _of("file"))
    assert find_credentials() == FoundCredentials(_of("file"), "file", f"the file {path}")
    monkeypatch.setenv("KAJABI_CLIENT_ID", "environment-id")
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", "environment-secret")
    assert find_credentials() == FoundCredentials(_of("environment"), "environment", "the environment")


def test_without_any_the_variables_and_login_are_named() -> None:
    """A new user knows neither the variables nor the command."""
    error = _refusal()
    assert error.problem == "there are no credentials"
    for expected in ("KAJABI_CLIENT_ID", "KAJABI_CLIENT_SECRET", "kajabi login", "Settings, Security"):
        assert expected in error.cure


@pytest.mark.parametrize("there", ["KAJABI_CLIENT_ID", "KAJABI_CLIENT_SECRET"])
def test_half_a_key_in_the_environment_is_not_completed_from_elsewhere(
    there: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API would reject halves of two keys, without an obvious reason."""
    credentials_file.write(path, KEY)
    monkeypatch.setenv(there, "half-of-it")
    error = _refusal()
    missing = ({"KAJABI_CLIENT_ID", "KAJABI_CLIENT_SECRET"} - {there}).pop()
    assert error.cure.startswith(f"set {missing} too, or unset {there}")
    assert "half-of-it" not in str(error)


def test_a_line_end_copied_along_is_reported_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copied line end is the most common mistake."""
    monkeypatch.setenv("KAJABI_CLIENT_ID", "the-id")
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", "the-secret\n")
    error = _refusal()
    assert "control characters" in error.problem
    assert "the-secret" not in str(error)


def test_the_file_is_in_the_configuration_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_CONFIG_HOME moves it unless relative, and KAJABI_CREDENTIALS_FILE replaces the whole path."""
    below = Path("kajabi") / "credentials.toml"
    assert credentials_path() == Path.home() / ".config" / below
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    assert credentials_path() == Path.home() / ".config" / below
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert credentials_path() == tmp_path / below
    monkeypatch.setenv("KAJABI_CREDENTIALS_FILE", str(tmp_path / "mine.toml"))
    assert credentials_path() == tmp_path / "mine.toml"


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a misspelt name would silently fall back to the keyring, which may have another key."""
    keyring_store.write(KEY)
    monkeypatch.setenv("KAJABI_CREDENTIALS_FILE", str(tmp_path / "misspelt.toml"))
    assert "misspelt.toml, which is not there" in _refusal().problem


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o666, 0o610])
def test_a_file_that_others_may_get_at_is_refused(mode: int, path: Path) -> None:
    """Whether others may read or write it; the cure is a command to run."""
    credentials_file.write(path, KEY)
    path.chmod(mode)
    error = _refusal()
    assert f"mode {mode:04o}" in error.problem
    assert error.cure.startswith(f"run `chmod 600 {path}`")


def test_a_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could make the command send requests with another key."""
    credentials_file.write(path, KEY)
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert f"belongs to another user (uid {owner})" in _refusal().problem


def test_a_symbolic_link_is_refused(path: Path, tmp_path: Path) -> None:
    """Even one to a valid file: the link may be changed later."""
    real = tmp_path / "real.toml"
    credentials_file.write(real, KEY)
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    assert "is a symbolic link" in _refusal().problem


def test_what_is_no_regular_file_is_refused_and_not_waited_for(path: Path) -> None:
    """Reading a pipe without a writer would block for ever."""
    path.parent.mkdir(parents=True)
    os.mkfifo(path, 0o600)
    assert "not a regular file" in _refusal().problem
    path.unlink()
    path.mkdir(0o700)
    assert "not a regular file" in _refusal().problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'client_id = "the-id"\nclient_secret = the-secret\n', "is not TOML"),
        (b'client_id = "\xff"', "is not TOML"),
        (b'client_id = "the-id"\n', "has missing or unknown members"),
        (b'client_id = "the-id"\nclient_secret = "the-secret"\npassword = "x"\n', "has missing or unknown members"),
        (b'client_id = 5\nclient_secret = "the-secret"\n', "must be a string"),
        (b'client_id = "the-id"\nclient_secret = ""\n', "is empty"),
        (b"#" * 70_000, "is larger than"),
        (b'client_secret = "the-secret"\nclient_id = ' + b"[" * 60_000, "is not TOML"),
        (b'client_secret = "the-secret"\nclient_id = ' + b"{a=" * 20_000, "is not TOML"),
        (b'client_secret = "the-secret"\nclient_id = ' + b"1" * 60_000, "is not TOML"),
        (b'client_secret = "the-secret"\nclient_id = 0x' + b"f" * 60_000, "must be a string"),
        (b'client_secret = "the-secret"\nclient_id = 1e999999', "must be a string"),
        (b'client_secret = "the-secret"\nclient_id = 9999-99-99', "is not TOML"),
        (b'client_secret = "the-secret"\nclient_id = 1979-05-27T07:32:00Z', "must be a string"),
        (b'client_secret = "the-secret"\nclient_id = "\\u0000"', "control characters"),
        (b'client_secret = "the-secret"\nclient_id = "\\ud800"', "is not TOML"),
        (b"\x00" * 100, "is not TOML"),
    ],
    # No backslash: pytest escapes it again each time that it collects in one process.
    ids=lambda value: str(value[:60]).replace("\\", "/"),
)
def test_an_unusable_file_is_reported_without_its_content(content: bytes, problem: str, path: Path) -> None:
    """The text of the parser would quote the line with the secret."""
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    path.write_bytes(content)
    error = _refusal()
    assert problem in error.problem
    assert "the-secret" not in str(error)
    assert error.__cause__ is None


def test_a_path_below_a_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like any path that cannot be read."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("KAJABI_CREDENTIALS_FILE", str(tmp_path / "file" / "credentials.toml"))
    assert "cannot read the credentials file" in _refusal().problem
    with pytest.raises(CredentialsError, match="cannot write the credentials file"):
        credentials_file.write(credentials_path(), KEY)
    with pytest.raises(CredentialsError, match="cannot remove the credentials file"):
        credentials_file.remove(credentials_path())


@pytest.mark.parametrize("secret", ['quote" and \\ backslash', "ünïcödé 🗝", "# no comment", "'''"])
def test_what_is_written_is_what_is_read(secret: str, path: Path) -> None:
    """For any text that Kajabi may use as a secret."""
    credentials_file.write(path, ClientCredentials("the-id", secret))
    assert credentials_file.read(path) == ClientCredentials("the-id", secret)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_writing_replaces_a_link_and_not_what_it_leads_to(path: Path, tmp_path: Path) -> None:
    """No temporary file remains in the folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere)
    credentials_file.write(path, KEY)
    assert elsewhere.read_text() == "untouched"
    assert not path.is_symlink()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_write_that_fails_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No temporary file remains either."""
    credentials_file.write(path, KEY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CredentialsError, match="No space left"):
        credentials_file.write(path, _of("new"))
    assert credentials_file.read(path) == KEY
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_locked_keyring_is_reported_and_not_taken_for_an_empty_one(memory_keyring: MemoryKeyring) -> None:
    """The cure is to unlock it."""
    memory_keyring.is_locked = True
    error = _refusal()
    assert "KeyringLocked" in error.problem
    assert "unlock it" in error.cure
    for change in (lambda: keyring_store.write(KEY), keyring_store.remove):
        with pytest.raises(CredentialsError, match="KeyringLocked"):
            change()


def test_a_failing_backend_is_reported_by_the_type_of_its_error(
    memory_keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backends raise errors of the libraries that they use."""

    def get_password(*_: str) -> str:
        raise OSError("canary")

    monkeypatch.setattr(memory_keyring, "get_password", get_password)
    error = _refusal()
    assert "OSError" in error.problem
    assert "canary" not in str(error)


def test_a_user_without_a_home_learns_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as in a container with an arbitrary user id."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    error = _refusal()
    assert "no home folder" in error.problem
    assert "KAJABI_CREDENTIALS_FILE" in error.cure
    assert check_credentials_file(None).message == error.problem
    monkeypatch.setenv("KAJABI_CLIENT_ID", "the-id")
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", "the-secret")
    assert find_credentials().source == "environment"


@pytest.mark.parametrize(
    "entry",
    [
        "not JSON",
        "[]",
        "{}",
        '{"client_id": "the-id", "client_secret": ""}',
        '{"client_id": 5, "client_secret": {}}',
        "[" * 100_000,
        '{"client_id": ' + "1" * 5000 + ', "client_secret": "x"}',
        '{"client_id": NaN, "client_secret": "x"}',
        5,
        b"\xff",
    ],
    # No backslash: pytest escapes it again each time that it collects in one process.
    ids=lambda value: str(value)[:50].replace("\\", "/"),
)
def test_an_entry_of_another_program_is_reported(entry: Any, memory_keyring: MemoryKeyring) -> None:
    """Without its content."""
    memory_keyring.entries[keyring_store.SERVICE, keyring_store.ENTRY] = entry
    error = _refusal()
    assert error.problem == "the entry kajabi-async of the system keyring cannot be used"
    assert "login --keyring" in error.cure


def test_a_machine_without_a_keyring_has_nothing_stored_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on most servers."""
    keyring_store.write(KEY)
    monkeypatch.setattr(keyring_store, "_library", _without_backend)
    assert keyring_store.read() is None
    assert keyring_store.remove() is False
    with pytest.raises(CredentialsError, match="NoKeyringError"):
        keyring_store.write(KEY)


def _without_backend() -> object:
    import keyring  # noqa: PLC0415
    from keyring.backends.fail import Keyring  # noqa: PLC0415

    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
    return keyring


async def test_a_file_in_the_users_home_is_enough_for_a_command(
    kajabi: Command, fake_credentials: ClientCredentials, path: Path
) -> None:
    """No variable is needed."""
    credentials_file.write(path, fake_credentials)
    done = await kajabi("me", KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert (done.code, done.err) == (0, "")


async def test_rejected_credentials_are_reported_with_their_source(kajabi: Command, path: Path) -> None:
    """There may be several sources, of which only one was used."""
    credentials_file.write(path, KEY)
    done = await kajabi("me", KAJABI_CLIENT_ID="", KAJABI_CLIENT_SECRET="")
    assert done.code == 3
    assert f"They came from the file {path}" in done.err
    assert "the-secret" not in done.err


def test_the_error_is_one_of_configuration() -> None:
    """Handlers of configuration errors catch it."""
    assert issubclass(CredentialsError, ConfigurationError)
