"""What was typed, before it is parsed: secrets rejected, the profile taken out, pages recognised."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from kajabi_async.cli.contents import command_called
from kajabi_async.cli.front import HELP_FLAGS, HELP_WORD, until_end_of_options
from kajabi_async.errors import InvalidArgumentError

__all__ = [
    "LONGEST_SHOWN",
    "asks_for_help",
    "misuse",
    "refuse_secrets",
    "take_profile",
    "unknown_command",
    "wants_json",
    "without_help",
]

_SECRET_OPTION: Final = re.compile(
    r"--?(?:[\w-]*(?:secret|passw|token|api[-_]?key|client[-_]?id)[\w-]*)(?:=|$)", re.IGNORECASE
)
_SECRET_ASSIGNMENT: Final = re.compile(r"(?:kajabi_)?client_(?:id|secret)=", re.IGNORECASE)
_LOGIN: Final = "login"
_LOGIN_FLAGS: Final = frozenset({"--stdin", "--keyring", "--json", *HELP_FLAGS, HELP_WORD})
_SITE: Final = "--site-id"
_ID: Final = re.compile(r"[0-9]{1,20}")
_PROFILE: Final = "--profile"
_END_OF_OPTIONS: Final = "--"
LONGEST_SHOWN: Final = 100
"""Characters of what was typed that an error repeats."""
_SENTENCE_ENDS: Final = (".", "?")


def refuse_secrets(tokens: Sequence[str]) -> None:
    """Raise InvalidArgumentError, whose text does not repeat it, if an argument looks like a secret.

    That is an option with a name such as --client-secret, an assignment such as KAJABI_CLIENT_SECRET=..., and any
    argument of login other than its flags and the digits of a site.
    """
    before_names = until_end_of_options(tokens)
    for_login = tokens[:1] == [_LOGIN] and not _LOGIN_FLAGS.issuperset(_without_site(tokens[1:]))
    if for_login or any(_SECRET_OPTION.match(token) or _SECRET_ASSIGNMENT.match(token) for token in before_names):
        raise InvalidArgumentError(
            "secrets are never taken from arguments, which other users of this machine and the shell's history can "
            "see: set KAJABI_CLIENT_ID and KAJABI_CLIENT_SECRET in the environment, or store both with `kajabi "
            "login`, which asks for them, or reads them from a pipe with --stdin. If what you typed was a real secret, "
            "make a new key"
        )


def _without_site(tokens: Sequence[str]) -> list[str]:
    """Return *tokens* without ``--site-id`` and its value, if that is an id."""
    rest: list[str] = []
    remaining = iter(tokens)
    for token in remaining:
        if token == _SITE:
            value = next(remaining, "")
            rest += [] if not value or _ID.fullmatch(value) else [value]
        elif not (token.startswith(f"{_SITE}=") and _ID.fullmatch(token.partition("=")[2])):
            rest.append(token)
    return rest


def take_profile(tokens: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the value of ``--profile``, which may stand anywhere before ``--``, and the other tokens.

    InvalidArgumentError if it has no value.
    """
    profile: str | None = None
    rest: list[str] = []
    remaining = iter(tokens)
    for token in remaining:
        if token == _END_OF_OPTIONS:
            return profile, [*rest, token, *remaining]
        if token == _PROFILE:
            profile = next(remaining, "")
        elif token.startswith(f"{_PROFILE}="):
            profile = token.partition("=")[2]
        else:
            rest.append(token)
            continue
        if not profile or profile.startswith("-"):
            raise InvalidArgumentError("--profile needs the name that `kajabi login --profile NAME` stored a key under")
    return profile, rest


def wants_json(tokens: Sequence[str]) -> bool:
    """Return whether errors are printed as JSON, too."""
    return "--json" in until_end_of_options(tokens)


def asks_for_help(tokens: Sequence[str]) -> bool:
    """Return whether *tokens* ask for a page: by ``help`` in front or after a group, or by ``--help`` before ``--``."""
    return _help_word(tokens) is not None or not HELP_FLAGS.isdisjoint(until_end_of_options(tokens))


def without_help(tokens: Sequence[str]) -> list[str]:
    """Return *tokens* without those that ask for help."""
    at = _help_word(tokens)
    return [token for index, token in enumerate(tokens) if index != at and token not in HELP_FLAGS]


def _help_word(tokens: Sequence[str]) -> int | None:
    """Return the position of the word ``help``, None if it is not there or may be an argument."""
    if tokens[:1] == [HELP_WORD]:
        return 0
    command = command_called(tokens[0]) if tokens else None
    return 1 if command is not None and command.is_group and tokens[1:2] == [HELP_WORD] else None


def unknown_command(typed: str, known: Iterable[str], within: Sequence[str] = ()) -> InvalidArgumentError:
    """Return the error for *typed* in place of one of the commands *known* *within* a group."""
    near = get_close_matches(typed, list(known), n=1)
    suggestion = f' Did you mean "{near[0]}"?' if near else ""
    kind = "Unknown option" if typed.startswith("-") else "Unknown command"
    shown = typed if typed.startswith("-") else f'"{typed}"'
    return misuse(f"{kind} {shown[:LONGEST_SHOWN]}.{suggestion}", within)


def misuse(problem: str, names: Sequence[str]) -> InvalidArgumentError:
    """Return the error of a wrong call of the command called *names*: the *problem*, and where its page is.

    The problem is put on one line, with a full stop if it has no other end.
    """
    text = " ".join(problem.split())
    stop = "" if text.endswith(_SENTENCE_ENDS) else "."
    return InvalidArgumentError(f"{text}{stop} See `{' '.join(['kajabi', *names])} --help`")
