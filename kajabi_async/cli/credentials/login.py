"""``kajabi login`` and ``logout``: stored credentials, as an alternative to the environment."""

import getpass
import os
import sys
from typing import Annotated, Final

from cyclopts import Parameter

from kajabi_async.cli.credentials import CredentialsError
from kajabi_async.cli.credentials import keyring as keyring_store
from kajabi_async.cli.credentials import toml_file as credentials_file
from kajabi_async.cli.credentials.chain import ID_VARIABLE, SECRET_VARIABLE, WHERE_KAJABI_SHOWS_THEM, credentials_path
from kajabi_async.cli.credentials.profiles import stored_profile
from kajabi_async.cli.options import Json, Metavar
from kajabi_async.cli.screens import output_screen
from kajabi_async.output import print_json, print_line
from kajabi_async.session import ClientCredentials

__all__ = ["login", "logout"]

_LONGEST_LINE: Final = 4096


def login(
    *,
    stdin: Annotated[
        bool, Parameter(help="Read the client id and the secret from standard input, one per line.", negative=())
    ] = False,
    keyring: Annotated[
        bool,
        Parameter(help="Store them in the system keyring instead of the file (extra `keyring`).", negative=()),
    ] = False,
    site_id: Annotated[
        str | None,
        Parameter(help="The site of commands with this key that name none. A later login without --site-id keeps it."),
        Metavar("ID"),
    ] = None,
    json: Json = False,
) -> None:
    """Store the client id and secret, so that they need not be in the environment; prompts for both without echo.

    They go into a file that only you can read, $KAJABI_CREDENTIALS_FILE or kajabi/credentials.toml in
    $XDG_CONFIG_HOME or ~/.config, or into the system keyring. Nothing is sent: `kajabi doctor` tests them.

    With --profile NAME they are those of another account, and every command with the same --profile, or with NAME in
    KAJABI_PROFILE, uses them. The site of a profile is used whatever KAJABI_SITE_ID is.

    Examples:
      kajabi login
      kajabi login --profile shop --site-id 1
    """
    profile = stored_profile()
    credentials = _from_pipe() if stdin else _from_prompt()
    if keyring:
        keyring_store.write(credentials, profile, site_id=site_id)
        place = "the system keyring"
    else:
        path = credentials_path()
        credentials_file.write(path, credentials, profile, site_id=site_id)
        place = f"the file {path}"
    if profile is not None:
        place = f"the profile {profile} in {place}"
    shadowed = profile is None and _environment_wins()
    if json:
        print_json({"stored_in": "keyring" if keyring else "file", "place": place, "environment_wins": shadowed})
        return
    option = "" if profile is None else f" --profile {profile}"
    output_screen().line(f"Stored in {place}. `kajabi doctor{option}` tests them.")
    if shadowed:
        output_screen().line(
            f"{ID_VARIABLE} and {SECRET_VARIABLE} are set in the environment and override what is stored."
        )


def logout(*, json: Json = False) -> None:
    """Remove the stored credentials from the file and the keyring. The key itself stays valid.

    With --profile NAME only those of that profile are removed; without it, only those stored without a profile.

    Examples:
      kajabi logout
      kajabi logout --profile shop
    """
    path, profile = credentials_path(), stored_profile()
    removed = [f"the file {path}"] if credentials_file.remove(path, profile) else []
    if keyring_store.remove(profile):
        removed.append("the system keyring")
    shadowed = profile is None and _environment_wins()
    if json:
        print_json({"removed_from": removed, "environment_remains": shadowed})
        return
    output_screen().line(f"Removed from {' and '.join(removed)}." if removed else "Nothing was stored.")
    if shadowed:
        output_screen().line(f"{ID_VARIABLE} and {SECRET_VARIABLE} are still set in the environment.")


def _from_pipe() -> ClientCredentials:
    lines = [sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n") for _ in range(2)]
    if not all(lines):
        raise CredentialsError(
            "standard input does not hold two lines", cure="pipe in the client id and the client secret, one per line"
        )
    return ClientCredentials(*lines)


def _from_prompt() -> ClientCredentials:
    # Without a terminal getpass falls back to reading with echo.
    if not sys.stdin.isatty():
        raise CredentialsError(
            "there is no terminal to prompt on",
            cure="pipe the client id and the secret in, one per line, with `kajabi login --stdin`",
        )
    print_line(f"{WHERE_KAJABI_SHOWS_THEM}.", error=True)
    return ClientCredentials(_typed("Client id: "), _typed("Client secret: "))


def _typed(prompt: str) -> str:
    try:
        return getpass.getpass(prompt).strip()
    except KeyboardInterrupt:
        # What was typed is not shown, so neither is the end of the line.
        print_line("", error=True)
        raise
    except EOFError:
        print_line("", error=True)
        raise CredentialsError("nothing was typed, so nothing is stored", cure="run `kajabi login` again") from None


def _environment_wins() -> bool:
    return bool(os.environ.get(ID_VARIABLE) or os.environ.get(SECRET_VARIABLE))
