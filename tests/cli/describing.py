"""The description of a command, from its application of cyclopts: what it takes, and what its page says."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast, get_args, get_origin

from cyclopts import App, Group

from kajabi_async.cli.descriptions import EXAMPLES, Argument, Description, Kind
from kajabi_async.cli.options import Metavar
from kajabi_async.cli.refusals import shown

__all__ = ["described"]

_TYPES: Final = {int: "NUMBER", float: "NUMBER", str: "TEXT"}
_GROUPS_OF_CYCLOPTS: Final = frozenset({"Arguments", "Parameters"})
_KINDS: Final[dict[Any, Kind]] = {int: "whole number", float: "number"}


def described(app: App, names: Sequence[str]) -> Description:
    """Return the description of *app*, the command or group called *names*."""
    text, examples = _parts(app.help or "")
    is_group = app.default_command is None
    arguments = [] if is_group else [each for each in app.assemble_argument_collection() if each.show]
    return {
        "usage": _usage(["kajabi", *names], app, arguments),
        "text": text,
        "commands": {name: described(app[name], [*names, name]) for name in _subcommands(app)},
        "tables": _tables(app, arguments),
        "examples": examples,
        "arguments": [_argument(each) for each in arguments],
    }


def _subcommands(app: App) -> list[str]:
    return sorted(name for name in app if not name.startswith("-"))


def _argument(argument: Any) -> Argument:
    choices = [str(each) for each in argument.get_choices() or ()]
    members: Argument = {
        "names": list(argument.names),
        "is_option": argument.index is None,
        "kind": "choice" if choices else _kind(argument),
        "choices": choices,
        "is_required": bool(argument.required),
        "takes_many": argument.is_var_positional() or get_origin(_optional(argument.hint)) is list,
        "takes_hyphens": bool(argument.parameter.allow_leading_hyphen),
    }
    return cast("Argument", {name: value for name, value in members.items() if value})


def _kind(argument: Any) -> Kind:
    return "flag" if _is_flag(argument) else _KINDS.get(_optional(argument.hint), "text")


def _optional(hint: Any) -> Any:
    """Return the type of a value that may also be None."""
    arms = [each for each in get_args(hint) if each is not type(None)]
    return arms[0] if type(None) in get_args(hint) else hint


def _parts(text: str) -> tuple[list[str], list[str]]:
    """Return the paragraphs of a docstring, each as one line, and its examples."""
    about, _, examples = text.partition(EXAMPLES)
    found = [paragraph.strip() for paragraph in about.split("\n\n")]
    return [paragraph for paragraph in found if paragraph], [line.strip() for line in examples.strip().splitlines()]


def _usage(words: list[str], app: App, arguments: Sequence[Any]) -> str:
    if app.default_command is None:
        return " ".join([*words, "COMMAND"])
    for argument in arguments:
        if argument.index is not None:
            name = _positional(app, argument)
            is_needed = argument.required or name == _declared(app, argument)
            words.append(name if is_needed else f"[{name}]")
    named = [each for each in arguments if each.index is None]
    required = [f"{each.name} {_word(app, each)}" for each in named if each.required]
    return " ".join([*words, *required, *(["[OPTIONS]"] if len(named) > len(required) else [])])


def _positional(app: App, argument: Any) -> str:
    if declared := _declared(app, argument):
        return declared
    name = shown(argument.field_info.name.upper())
    return f"{name.removesuffix('S')}..." if argument.is_var_positional() else name


def _tables(app: App, arguments: Sequence[Any]) -> dict[str, list[tuple[str, str]]]:
    tables: dict[str, list[tuple[str, str]]] = {}
    for argument in arguments:
        if argument.index is not None:
            if text := _text(argument):
                tables.setdefault("Arguments", []).append((_positional(app, argument).strip("[]"), text))
            continue
        tables.setdefault(_title(argument), []).append((_option(app, argument), _text(argument)))
    return tables


def _title(argument: Any) -> str:
    """Return the heading above an option: the name of its group, if it is in one of the command's own."""
    names = [group.name for group in argument.parameter.group or () if isinstance(group, Group)]
    return next((name for name in names if name not in _GROUPS_OF_CYCLOPTS), "Options")


def _option(app: App, argument: Any) -> str:
    negatives = argument.negatives
    positives = [name for name in argument.names if name not in negatives]
    if not _is_flag(argument):
        return f"{', '.join(positives)} {_word(app, argument)}"
    # What is so by default needs no option.
    return ", ".join(negatives if argument.field_info.default is True else (*positives, *negatives))


def _is_flag(argument: Any) -> bool:
    return bool in (argument.hint, *get_args(argument.hint))


def _word(app: App, argument: Any) -> str:
    """Return the word for the value of an option: the declared one, or that of its type."""
    if declared := _declared(app, argument):
        return declared
    hint = argument.hint
    types = [each for each in (hint, *get_args(hint)) if each in _TYPES]
    return _TYPES[types[0]] if types else "NAME"


def _declared(app: App, argument: Any) -> str:
    """Return the word that the type of an argument or option declares, "" if it declares none."""
    function: Any = app.default_command
    annotation = inspect.signature(function).parameters[argument.field_info.name].annotation
    return next((each.word for each in _metadata(annotation) if isinstance(each, Metavar)), "")


def _metadata(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for each in get_args(annotation):
        yield from _metadata(each)


def _text(argument: Any) -> str:
    text = argument.parameter.help or ""
    choices = argument.get_choices() or ()
    if choices:
        text = f"{text} One of {', '.join(choices)}.".strip()
    default = argument.field_info.default
    if argument.required or _is_flag(argument) or default in {None, "", inspect.Parameter.empty}:
        return text
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    return f"{text} [default: {shown}]"
