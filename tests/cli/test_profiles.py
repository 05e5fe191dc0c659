"""Several accounts in the credentials file and the keyring, chosen by --profile or KAJABI_PROFILE."""

import json
import stat
from pathlib import Path

import pytest

from kajabi_async.cli.credentials import toml_file
from kajabi_async.session import ClientCredentials
from kajabi_async.testing import FakeKajabi
from tests.cli.conftest import Command, MemoryKeyring


def _mode(path: Path) -> int | None:
    """Return the mode of a file, None if there is none."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(content)
    path.chmod(0o600)


NOTHING_SET = {"KAJABI_CLIENT_ID": "", "KAJABI_CLIENT_SECRET": ""}


@pytest.mark.parametrize("how", ["--profile shop", "--profile=shop", "KAJABI_PROFILE"])
async def test_a_profile_is_stored_and_used(
    how: str, kajabi: Command, fake: FakeKajabi, credentials_path: Path
) -> None:
    """Although the environment has the key of another account."""
    stored = await kajabi("login", "--stdin", "--profile", "shop", given=f"{fake.client_id}\n{fake.client_secret}\n")
    assert stored.code == 0, stored.err
    assert f"the profile shop in the file {credentials_path}" in stored.out
    assert _mode(credentials_path) == 0o600
    wrong = {"KAJABI_CLIENT_ID": "other", "KAJABI_CLIENT_SECRET": "other"}
    if how == "KAJABI_PROFILE":
        done = await kajabi("whoami", KAJABI_PROFILE="shop", **wrong)
    else:
        done = await kajabi(*how.split(), "whoami", **wrong)
    assert done.code == 0, done.err
    assert f"credentials\tfrom the profile shop in the file {credentials_path}" in done.lines


async def test_profiles_stand_beside_the_key_without_a_name(
    kajabi: Command, fake: FakeKajabi, credentials_path: Path
) -> None:
    """Storing one keeps the others, and so does removing one; the file goes with the last."""
    key = f"{fake.client_id}\n{fake.client_secret}\n"
    for profile in ((), ("--profile", "shop"), ("--profile", "blog")):
        assert (await kajabi("login", "--stdin", *profile, given=key)).code == 0
    assert toml_file.profile_names(credentials_path) == ["blog", "shop"]
    assert (await kajabi("whoami", **NOTHING_SET)).code == 0
    assert (await kajabi("whoami", "--profile", "default", KAJABI_PROFILE="nowhere")).code == 0
    assert (await kajabi("logout", "--profile", "shop")).out == f"Removed from the file {credentials_path}.\n"
    assert toml_file.profile_names(credentials_path) == ["blog"]
    assert (await kajabi("logout", **NOTHING_SET)).code == 0
    assert (await kajabi("whoami", "--profile", "blog")).code == 0
    none = await kajabi("whoami", **NOTHING_SET)
    assert (none.code, "name a profile with --profile, one of blog" in none.err) == (2, True)
    assert (await kajabi("logout", "--profile", "blog")).code == 0
    assert _mode(credentials_path) is None


async def test_an_unknown_profile_is_reported_with_those_that_exist(
    kajabi: Command, fake: FakeKajabi, credentials_path: Path
) -> None:
    """And never replaced by another account."""
    toml_file.write(credentials_path, ClientCredentials(fake.client_id, fake.client_secret), "shop")
    done = await kajabi("whoami", "--profile", "shpo")
    assert done.code == 2
    assert "no credentials of the profile shpo; there are shop: `kajabi login --profile shpo`" in done.err


async def test_the_keyring_has_profiles_too(kajabi: Command, fake: FakeKajabi, memory_keyring: MemoryKeyring) -> None:
    """An entry for each."""
    key = f"{fake.client_id}\n{fake.client_secret}\n"
    assert (await kajabi("login", "--stdin", "--keyring", "--profile", "shop", given=key)).code == 0
    assert [name for _, name in memory_keyring.entries] == ["user-api-key:shop"]
    assert (await kajabi("whoami", "--profile", "shop", **NOTHING_SET)).code == 0
    assert (await kajabi("logout", "--profile", "shop")).code == 0
    assert memory_keyring.entries == {}


@pytest.mark.parametrize("arguments", [("--profile",), ("--profile", "--json"), ("--profile=",), ("--profile", "a/b")])
async def test_a_profile_needs_a_name(arguments: tuple[str, ...], kajabi: Command) -> None:
    """Of letters, digits, - and _."""
    done = await kajabi("whoami", *arguments)
    assert (done.code, "--profile" in done.err) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        '[profiles.shop]\nclient_id = "a"\n',
        '[profiles."a b"]\nclient_id = "s3cr3t"\nclient_secret = "b"\n',
        'profiles = "s3cr3t"\n',
        'client_id = "s3cr3t"\n[profiles.shop]\nclient_id = "a"\nclient_secret = "b"\n',
        "",
    ],
)
async def test_a_file_that_holds_anything_else_is_refused_without_its_content(
    content: str, kajabi: Command, credentials_path: Path
) -> None:
    """Whichever profile is read."""
    _write(credentials_path, content)
    for arguments in ((), ("--profile", "shop")):
        done = await kajabi("whoami", *arguments, **NOTHING_SET)
        assert (done.code, "missing or unknown members" in done.err, "s3cr3t" in done.err) == (2, True, False)


async def test_the_doctor_names_the_profiles(kajabi: Command, fake: FakeKajabi, credentials_path: Path) -> None:
    """In the finding about the file."""
    toml_file.write(credentials_path, ClientCredentials(fake.client_id, fake.client_secret), "shop")
    done = await kajabi("doctor", "--profile", "shop", "--json")
    findings = {each["check"]: each for each in map(json.loads, done.lines)}
    assert findings["credentials file"]["details"]["profiles"] == ["shop"]


async def _store(kajabi: Command, fake: FakeKajabi, *options: str) -> None:
    key = f"{fake.client_id}\n{fake.client_secret}\n"
    stored = await kajabi("login", "--stdin", *options, given=key)
    assert stored.code == 0, stored.err


@pytest.mark.parametrize("where", [(), ("--keyring",)])
async def test_a_profile_names_its_site(where: tuple[str, ...], kajabi: Command, fake: FakeKajabi) -> None:
    """It is used in place of KAJABI_SITE_ID, which may be a site of another account, unless a command names one."""
    await _store(kajabi, fake, *where, "--profile", "shop", "--site-id", "1")
    listed = await kajabi("payouts", "list", "--profile", "shop", "--limit", "1", KAJABI_SITE_ID="77")
    assert (listed.code, len(listed.lines)) == (0, 1), listed.err
    named = await kajabi("payouts", "list", "--profile", "shop", "--site-id", "77")
    assert (named.code, named.err) == (0, "no payouts\n")
    await _store(kajabi, fake, *where, "--profile", "shop")
    again = await kajabi("payouts", "list", "--profile", "shop", "--limit", "1")
    assert (again.code, len(again.lines)) == (0, 1), again.err


async def test_the_site_of_the_key_without_a_name_yields_to_the_environment(
    kajabi: Command, fake: FakeKajabi, credentials_path: Path
) -> None:
    """As the key itself does; a profile without a site takes KAJABI_SITE_ID, too."""
    await _store(kajabi, fake, "--site-id=77")
    assert toml_file.site_of(credentials_path) == "77"
    assert (await kajabi("payouts", "list", **NOTHING_SET)).err == "no payouts\n"
    assert len((await kajabi("payouts", "list", "--limit", "1", KAJABI_SITE_ID="1", **NOTHING_SET)).lines) == 1
    await _store(kajabi, fake, "--profile", "shop")
    shop = await kajabi("payouts", "list", "--profile", "shop", "--limit", "1", KAJABI_SITE_ID="1")
    assert len(shop.lines) == 1


@pytest.mark.parametrize(("value", "code"), [("1", 0), ('"1"', 0), ("true", 2), ('"a/b"', 2), ("1.5", 2)])
async def test_a_site_may_be_written_into_the_file_by_hand(
    value: str, code: int, kajabi: Command, fake: FakeKajabi, credentials_path: Path
) -> None:
    """As text or as a number; what is no id makes the file unusable."""
    _write(
        credentials_path,
        f'client_id = "{fake.client_id}"\nclient_secret = "{fake.client_secret}"\nsite_id = {value}\n',
    )
    assert (await kajabi("payouts", "list", "--limit", "1", **NOTHING_SET)).code == code


@pytest.mark.parametrize("arguments", [("--site-id", "secret.x"), ("--site-id",), ("--site-id=secret.x",)])
async def test_login_takes_nothing_for_a_site_but_an_id(arguments: tuple[str, ...], kajabi: Command) -> None:
    """It could be a secret, and is not repeated."""
    refused = await kajabi("login", "--stdin", *arguments, given="a\nb\n")
    assert (refused.code, refused.out) == (2, "")
    assert "secret.x" not in refused.err


async def test_doctor_names_the_place_of_a_site_that_the_key_does_not_see(kajabi: Command, fake: FakeKajabi) -> None:
    """And how to store another."""
    await _store(kajabi, fake, "--profile", "shop", "--site-id", "77")
    examined = await kajabi("doctor", "--profile", "shop")
    assert examined.code == 2
    assert "the site of the profile shop in the file" in examined.out
    assert "`kajabi login --site-id ID` stores one of those the key sees: 1" in examined.out


async def test_commands_in_messages_are_for_the_same_profile(
    kajabi: Command, credentials_path: Path, fake_credentials: ClientCredentials
) -> None:
    """Otherwise the next command would read another account."""
    toml_file.write(credentials_path, fake_credentials, "shop")
    listed = await kajabi("customers", "list", "--limit", "1", "--profile", "shop", **NOTHING_SET)
    assert "`kajabi export customers --out customers.csv --profile shop`" in listed.err
    email = await kajabi("customers", "get", "ada@example.com", "--profile", "shop", **NOTHING_SET)
    assert "`kajabi customers find ada@example.com --profile shop`" in email.err
    unreachable = await kajabi("me", "--profile", "shop", KAJABI_BASE_URL="http://127.0.0.1:9", **NOTHING_SET)
    assert "`kajabi doctor --profile shop`" in unreachable.err
    assert "Connection refused" in unreachable.err
