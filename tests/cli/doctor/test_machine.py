"""Checks that send no request."""

import importlib.metadata
from collections.abc import Callable

import pytest

from kajabi_async.cli.credentials import keyring as keyring_store
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials.chain import configured_base_url, credentials_path
from kajabi_async.cli.doctor import machine
from kajabi_async.cli.doctor.machine import (
    check_base_url,
    check_credentials,
    check_credentials_file,
    check_versions,
)
from kajabi_async.cli.front import ExitCode
from kajabi_async.session import ClientCredentials

KEY = ClientCredentials("the-id", "the-secret")
Installed = Callable[[str], str]


def test_versions_of_python_the_package_and_its_libraries_are_reported() -> None:
    """Libraries of extras only if they are installed."""
    finding = check_versions()
    assert finding.status == "ok"
    libraries = finding.details["libraries"]
    assert {"aiohttp", "attrs", "cattrs", "msgspec", "cyclopts", "rich", "uvloop"} <= libraries.keys()
    assert libraries["aiohttp"] == importlib.metadata.version("aiohttp")
    for expected in ("kajabi-async", "Python 3", "aiohttp", "msgspec"):
        assert expected in finding.message


def _with(monkeypatch: pytest.MonkeyPatch, name: str, version: str | None) -> None:
    real: Installed = importlib.metadata.version

    def installed(requested: str) -> str:
        if requested != name:
            return real(requested)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", installed)


@pytest.mark.parametrize("version", ["3.9.5", "3.13", "2"])
def test_a_library_older_than_declared_fails_with_what_is_needed(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as after installing a pinned version by hand."""
    _with(monkeypatch, "aiohttp", version)
    finding = check_versions()
    assert (finding.status, finding.exit_code) == ("fail", ExitCode.MISUSED)
    assert f"aiohttp {version}, needs 3.14.4" in finding.message
    assert "pip install --upgrade" in finding.cure


@pytest.mark.parametrize("version", ["3.14.4", "3.14.10", "3.15", "3.14.4.post1", "3.99.0rc1"])
def test_a_library_as_new_as_declared_is_fine(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version numbers are compared as numbers."""
    _with(monkeypatch, "aiohttp", version)
    assert check_versions().status == "ok"


def test_a_library_that_is_missing_fails_unless_it_is_of_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extras are optional."""
    _with(monkeypatch, "msgspec", None)
    assert "msgspec missing, needs" in check_versions().message
    monkeypatch.undo()
    _with(monkeypatch, "pyarrow", None)
    finding = check_versions()
    assert finding.status == "ok"
    assert "pyarrow" not in finding.details["libraries"]


def test_running_from_the_source_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no version to compare."""
    _with(monkeypatch, "kajabi-async", None)
    finding = check_versions()
    assert (finding.status, "not installed" in finding.message) == ("warn", True)


@pytest.mark.parametrize("source", ["environment", "file", "keyring"])
def test_credentials_are_reported_by_their_source_and_never_shown(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the text nor in the details."""
    if source == "environment":
        monkeypatch.setenv("KAJABI_CLIENT_ID", "the-id")
        monkeypatch.setenv("KAJABI_CLIENT_SECRET", "the-secret")
    elif source == "file":
        credentials_file.write(credentials_path(), KEY)
    else:
        keyring_store.write(KEY)
    finding, found = check_credentials()
    assert (finding.status, finding.details["source"]) == ("ok", source)
    assert found is not None
    assert found.credentials == KEY
    assert "the-secret" not in repr((finding, found))
    assert "the-id" not in repr((finding, found))


def test_missing_credentials_fail_with_the_cure() -> None:
    """The cure is the same as for every command."""
    finding, found = check_credentials()
    assert (finding.status, finding.exit_code, found) == ("fail", ExitCode.MISUSED, None)
    assert "KAJABI_CLIENT_ID" in finding.cure
    assert check_credentials_file(None).status == "skip"


def test_a_file_that_others_may_read_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is only a warning if the environment takes precedence."""
    credentials_file.write(credentials_path(), KEY)
    credentials_path().chmod(0o644)
    finding, found = check_credentials()
    assert (finding.status, found) == ("fail", None)
    in_file = check_credentials_file(found)
    assert (in_file.status, in_file.exit_code) == ("fail", ExitCode.MISUSED)
    assert "chmod 600" in in_file.cure
    monkeypatch.setenv("KAJABI_CLIENT_ID", "the-id")
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", "the-secret")
    _, found = check_credentials()
    assert check_credentials_file(found).status == "warn"


def test_a_file_that_is_used_is_fine_and_one_that_is_shadowed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a change of the file would seem to have no effect."""
    credentials_file.write(credentials_path(), KEY)
    _, found = check_credentials()
    assert check_credentials_file(found).status == "ok"
    monkeypatch.setenv("KAJABI_CLIENT_ID", "another-id")
    monkeypatch.setenv("KAJABI_CLIENT_SECRET", "another-secret")
    _, found = check_credentials()
    finding = check_credentials_file(found)
    assert (finding.status, "the environment takes precedence" in finding.message) == ("warn", True)


def test_the_base_url_is_the_apis_own_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other base URL is a warning, as it may be a leftover."""
    assert configured_base_url() == "https://api.kajabi.com"
    assert check_base_url(configured_base_url()).status == "ok"
    monkeypatch.setenv("KAJABI_BASE_URL", "https://proxy.example.com")
    assert check_base_url(configured_base_url()).status == "warn"


@pytest.mark.parametrize(
    "base_url",
    [
        "api.kajabi.com",
        "https://api.kajabi.com/v1",
        "http://api.kajabi.com",
        "https://user:pw@api.kajabi.com",
        "ftp://x",
    ],
)
def test_a_base_url_of_the_wrong_form_fails(base_url: str) -> None:
    """The message names the variable and leaves out the user information of the URL."""
    finding = check_base_url(base_url)
    assert (finding.status, finding.exit_code) == ("fail", ExitCode.MISUSED)
    assert "KAJABI_BASE_URL" in finding.message + finding.cure
    assert "pw@" not in repr(finding)


def test_every_declared_library_is_understood() -> None:
    """A requirement that cannot be parsed would never be checked."""
    declared = importlib.metadata.requires("kajabi-async") or []
    known = {name for name, _, _ in machine.declared_libraries()}
    assert len(known) == len({line.split(";")[0].strip() for line in declared})
