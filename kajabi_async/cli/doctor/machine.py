"""Checks that send no request: versions, credentials, their file, the base URL."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import attrs

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.credentials import keyring as keyring_store
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials.chain import FoundCredentials, credentials_path, find_credentials
from kajabi_async.cli.credentials.profiles import stored_profile
from kajabi_async.cli.doctor.findings import Finding, failed, fine, skipped, warned
from kajabi_async.cli.front import ExitCode
from kajabi_async.cli.running import loop_factory
from kajabi_async.client import OFFICIAL_BASE_URL
from kajabi_async.errors import ConfigurationError
from kajabi_async.session.settings import checked_base_url

__all__ = ["check_base_url", "check_credentials", "check_credentials_file", "check_versions"]

_DISTRIBUTION: Final = "kajabi-async"
_REQUIREMENT: Final = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?(?P<limits>[^;]*)(?P<marker>;.*)?")
_AT_LEAST: Final = re.compile(r">=\s*(?P<version>\d+(?:\.\d+)*)")


def check_versions() -> Finding:
    """Compare the installed libraries with the oldest versions that the package declares."""
    python = f"Python {platform.python_version()} on {platform.system()}"
    try:
        own = importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return warned(
            "versions",
            f"{python}; {_DISTRIBUTION} runs from its source and is not installed",
            cure="pip install 'kajabi-async[cli]'",
            python=platform.python_version(),
        )
    installed = {
        name: _installed(name) for name, _, optional in declared_libraries() if not optional or _installed(name)
    }
    outdated = [
        f"{name} {installed[name] or 'missing'}, needs {oldest}"
        for name, oldest, _ in declared_libraries()
        if name in installed and _is_older(installed[name], oldest)
    ]
    loops = "uvloop" if loop_factory() is not None else "asyncio"
    facts = {"python": platform.python_version(), "kajabi_async": own, "libraries": installed, "event_loop": loops}
    if outdated:
        cure = "pip install --upgrade 'kajabi-async[cli]'"
        message = f"{own} works with newer libraries only: {'; '.join(outdated)}"
        return failed("versions", message, cure=cure, exit_code=ExitCode.MISUSED, **facts)
    core = ", ".join(f"{name} {installed[name]}" for name in ("aiohttp", "attrs", "cattrs", "msgspec"))
    return fine("versions", f"{_DISTRIBUTION} {own}, {python}, {core}; event loops of {loops}", **facts)


def check_credentials() -> tuple[Finding, FoundCredentials | None]:
    """Find the credentials as every command does, and never show them."""
    try:
        found = find_credentials()
    except CredentialsError as error:
        return failed("credentials", error.problem, cure=error.cure, exit_code=ExitCode.MISUSED), None
    facts = {"source": found.source, "keyring_installed": keyring_store.is_installed()}
    return fine("credentials", f"from {found.place}", **facts), found


def check_credentials_file(found: FoundCredentials | None) -> Finding:
    """Check whether the credentials file can be used, even if the environment takes precedence."""
    path = None
    try:
        path = credentials_path()
        stored = credentials_file.read(path, stored_profile())
        names = credentials_file.profile_names(path)
    except CredentialsError as error:
        facts = {} if path is None else {"path": str(path)}
        warning = warned("credentials file", error.problem, cure=error.cure, **facts)
        if found is not None:
            return warning
        return attrs.evolve(warning, status="fail", exit_code=ExitCode.MISUSED)
    if stored is None and names:
        return fine("credentials file", f"{path} has the profiles {', '.join(names)}", path=str(path), profiles=names)
    if stored is None:
        return skipped("credentials file", f"there is none at {path}")
    if found is not None and found.source != "file":
        return warned(
            "credentials file",
            f"{path} is not used, as {found.place} takes precedence",
            cure="unset KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET to use it, or `kajabi logout` to remove it",
            path=str(path),
        )
    profiles = f"; profiles: {', '.join(names)}" if names else ""
    return fine("credentials file", f"{path}, readable by you alone{profiles}", path=str(path), profiles=names)


def check_base_url(base_url: str) -> Finding:
    """Check the form of *base_url*, and whether it is the official one."""
    try:
        checked = checked_base_url(base_url, allow_insecure=False)
    except ConfigurationError as error:
        return failed(
            "base URL",
            str(error).replace("base_url", "KAJABI_BASE_URL", 1),
            cure="unset KAJABI_BASE_URL, or set it to scheme and host, such as https://api.kajabi.com",
            exit_code=ExitCode.MISUSED,
        )
    if checked == OFFICIAL_BASE_URL:
        return fine("base URL", checked, base_url=checked)
    return warned(
        "base URL",
        f"{checked}, which is not {OFFICIAL_BASE_URL}",
        cure="unset KAJABI_BASE_URL unless you use a proxy or a fake",
        base_url=checked,
    )


def proxies_ignored(base_url: str) -> str:
    """Return the name of a proxy setting that the SDK does not follow, or an empty string if none is set."""
    scheme = urlsplit(base_url).scheme
    names = (f"{scheme}_proxy", "all_proxy")
    return next((name for each in names for name in (each, each.upper()) if os.environ.get(name)), "")


def declared_libraries() -> Iterator[tuple[str, str, bool]]:
    """Yield name, oldest version and whether it belongs to an extra, for each requirement with an oldest version."""
    for declared in importlib.metadata.requires(_DISTRIBUTION) or ():
        parts = _REQUIREMENT.match(declared)
        oldest = _AT_LEAST.search(parts["limits"]) if parts else None
        if parts and oldest:
            yield parts["name"], oldest["version"], "extra ==" in (parts["marker"] or "")


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_older(installed: str | None, oldest: str) -> bool:
    if installed is None:
        return True
    return _numbers(installed) < _numbers(oldest)


def _numbers(version: str) -> list[int]:
    leading = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in leading.group().split(".")] if leading else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return numbers
