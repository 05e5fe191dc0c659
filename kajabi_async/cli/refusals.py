"""Arguments refused by the description of a command, before the command and its parser are imported.

Refused is what the parser surely refuses, in the same words; what is in doubt is left to it. A test compares both.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Final

from kajabi_async.cli.descriptions import Argument, Description
from kajabi_async.cli.usage import LONGEST_SHOWN, misuse

__all__ = ["NUMBERS", "refuse", "shown", "suggestion"]

NUMBERS: Final = {"whole number": "a whole number", "number": "a number"}

_OPTION: Final = re.compile(r"-|--?[A-Za-z][A-Za-z0-9-]*(?:=.*)?", re.DOTALL)
_NOTHING: Final = frozenset({"none", "null"})
_MAX_SUGGESTIONS: Final = 3
_END_OF_OPTIONS: Final = "--"


class _InDoubtError(Exception):
    """Only the parser knows whether the arguments are right."""


def refuse(description: Description, names: Sequence[str], tokens: Sequence[str]) -> None:
    """Raise InvalidArgumentError if *tokens* are surely no arguments of the command called *names*."""
    with suppress(_InDoubtError):
        problem = _CommandCall(description["arguments"]).problem(tokens)
        if problem is not None:
            raise misuse(problem, names)


def suggestion(typed: str, known: Iterable[str]) -> str:
    """Return the question after an unknown option that names those of *known* that it may stand for, or ""."""
    near = list(_options_starting_like(typed.partition("=")[0], known))[:_MAX_SUGGESTIONS]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _options_starting_like(typed: str, known: Iterable[str]) -> Iterator[str]:
    """Yield the options whose first words are closest to *typed*: ``--email-contains`` for ``--emial``."""
    words = typed.strip("-").split("-")
    prefixes: dict[str, list[str]] = {}
    for name in known:
        prefixes.setdefault("-".join(name.strip("-").split("-")[: len(words)]), []).append(name)
    for prefix in get_close_matches("-".join(words), prefixes, n=1, cutoff=0.7):
        yield from prefixes[prefix]


class _CommandCall:
    """One call: its options are read first, then the other arguments, as the parser does it."""

    def __init__(self, arguments: Sequence[Argument]) -> None:
        self._arguments = arguments
        self._options = {name: each for each in arguments if each.get("is_option") for name in each["names"]}
        self._given: dict[str, list[tuple[str, str]]] = {}
        """By first name of the argument: the name typed, "" if none, and the value."""

    def problem(self, tokens: Sequence[str]) -> str | None:
        """Return the first problem that the parser would report; None if it would report none."""
        if _END_OF_OPTIONS in tokens:
            raise _InDoubtError
        try:
            left = self._take_arguments(self._take_options(tokens))
        except _RefusedError as refused:
            return refused.problem
        return self._wrong_or_missing() or self._surplus(left)

    def _take_options(self, tokens: Sequence[str]) -> list[str]:
        rest: list[str] = []
        remaining = list(tokens)
        while remaining:
            token = remaining.pop(0)
            if not token.startswith("-"):
                rest.append(token)
                continue
            name, equals, value = _option_of(token).partition("=")
            option = self._options.get(name)
            if option is None:
                if name.lower() in self._options:
                    raise _InDoubtError
                rest.append(token)
            elif option["kind"] == "flag":
                self._give(option, name, _flag(equals))
            else:
                self._give(option, name, value if equals else _value_after(name, option, remaining))
        return rest

    def _take_arguments(self, rest: list[str]) -> list[str]:
        for argument in self._arguments:
            if argument.get("is_option") or not rest:
                continue
            taken, rest = (rest, []) if argument.get("takes_many") else (rest[:1], rest[1:])
            for token in taken:
                if token.startswith("-") and not argument.get("takes_hyphens"):
                    raise _RefusedError(self._unknown(token))
                self._give(argument, "", token)
        return rest

    def _give(self, argument: Argument, name: str, value: str) -> None:
        values = self._given.setdefault(argument["names"][0], [])
        if values and not argument.get("takes_many"):
            raise _InDoubtError
        values.append((name, value))

    def _wrong_or_missing(self) -> str | None:
        for argument in self._arguments:
            name = argument["names"][0]
            values = self._given.get(name, ())
            problem = next(filter(None, (_wrong(argument, typed, value) for typed, value in values)), None)
            if problem is not None:
                return problem
            if argument.get("is_required") and not values:
                return f"Missing option: {name}" if argument.get("is_option") else f"Missing argument: {shown(name)}"
        return None

    def _surplus(self, left: Sequence[str]) -> str | None:
        unknown = next((token for token in left if token.startswith("-")), None)
        if unknown is not None:
            return self._unknown(unknown.partition("=")[0])
        return f"Unexpected argument{'' if len(left) == 1 else 's'}: {' '.join(left)}" if left else None

    def _unknown(self, token: str) -> str:
        message = f"Unknown option: {token}."
        if not token.startswith("--") and len(token) > len("-x"):
            message = f"{message} {token[:2]} is not a recognized option."
        names = [name for each in self._arguments for name in each["names"]]
        near = get_close_matches(token, names, n=1) if token.startswith("--") or len(token) == len("-x") else []
        return f"{message} Did you mean {near[0]}?" if near else message + suggestion(token, names)


class _RefusedError(Exception):
    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


def shown(name: str) -> str:
    """Return the name of an argument as the usage has it."""
    return name.replace("_", "-")


def _option_of(token: str) -> str:
    if not _OPTION.fullmatch(token) or _is_complex(token):
        raise _InDoubtError
    return token


def _flag(equals: str) -> str:
    if equals:
        raise _InDoubtError
    return ""


def _value_after(name: str, option: Argument, remaining: list[str]) -> str:
    """Return the value after an option, taken from *remaining*."""
    if not remaining:
        raise _RefusedError(f"{name} needs a value")
    if remaining[0].startswith("-") and not option.get("takes_hyphens"):
        _option_of(remaining[0])
        raise _RefusedError(f"{name} needs a value")
    return remaining.pop(0)


def _wrong(argument: Argument, typed: str, value: str) -> str | None:
    """Return what is wrong with the *value* of an argument; *typed* is its name, if it was typed."""
    kind, choices = argument["kind"], argument.get("choices", [])
    if kind in NUMBERS and not _is_number(value, whole=kind == "whole number"):
        return f"{typed} takes {NUMBERS[kind]}, got {value[:LONGEST_SHOWN]!r}"
    if kind == "choice" and value not in choices:
        return _no_choice(typed or argument["names"][0], value, choices)
    return None


def _no_choice(name: str, value: str, choices: Sequence[str]) -> str:
    if value.lower() in _NOTHING:
        raise _InDoubtError
    near = get_close_matches(value, choices, n=1)
    did_you_mean = f' Did you mean "{near[0]}"?' if near else ""
    return f'Invalid value "{value}" for {name}. Choose from: {", ".join(map(_quoted, choices))}.{did_you_mean}'


def _quoted(text: str) -> str:
    return f'"{text}"'


def _is_number(value: str, *, whole: bool) -> bool:
    try:
        int(value) if whole else float(value)
    except ValueError:
        if value.lower() in _NOTHING:
            raise _InDoubtError from None
        return False
    return True


def _is_complex(token: str) -> bool:
    try:
        complex(token)
    except ValueError:
        return False
    return True
