"""The page of one command or group: its usage, text, arguments, options, filters and examples."""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

from cyclopts import App, Group

from kajabi_async.cli.building import EXAMPLES
from kajabi_async.cli.front import listing, page_width, paragraphs
from kajabi_async.cli.options import Value

__all__ = ["command_page", "is_group", "option_tables", "subcommands", "usage"]

_TYPES: Final = {int: "NUMBER", float: "NUMBER", str: "TEXT"}
_INDENT: Final = "  "
_CONTINUED: Final = " \\"
"""The end of a line that a shell reads on with the next."""
_SHELL_WORD: Final = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")
_GROUPS_OF_CYCLOPTS: Final = frozenset({"Arguments", "Parameters"})
_ABOUT_ALL: Final = "Exit codes, --profile and the variables: kajabi --help"


def is_group(app: App) -> bool:
    """Return whether *app* only has commands and does nothing itself."""
    return app.default_command is None


def subcommands(app: App) -> list[str]:
    """Return the names of the commands of a group."""
    return [name for name in app if not name.startswith("-")]


def command_page(app: App, names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the page of *app*, the command or group called *names*."""
    text, examples = _parts(app.help or "")
    yield f"Usage: {usage(app, names)}"
    yield ""
    yield from paragraphs(text)
    if is_group(app):
        yield "Commands:"
        yield from listing([(name, _summary(app[name])) for name in sorted(subcommands(app))])
        yield ""
    for title, rows in option_tables(app).items():
        yield f"{title}:"
        yield from listing(rows)
        yield ""
    if examples:
        yield EXAMPLES
        for example in examples:
            yield from _example(example)
        yield ""
    yield _ABOUT_ALL


def _arguments(app: App) -> list[Any]:
    return [] if is_group(app) else [each for each in app.assemble_argument_collection() if each.show]


def _example(command: str) -> Iterator[str]:
    """Yield the lines of an example: one that is too long for the page goes on after a backslash, as shells read it."""
    room = page_width() - len(_CONTINUED)
    line = _INDENT
    for word in _SHELL_WORD.findall(command):
        if line.strip() and len(line) + len(word) > room:
            yield f"{line.rstrip()}{_CONTINUED}"
            line = 2 * _INDENT
        line += f"{word} "
    yield line.rstrip()


def _parts(text: str) -> tuple[list[str], list[str]]:
    """Return the paragraphs of a docstring, each as one line, and its examples."""
    about, _, examples = text.partition(EXAMPLES)
    found = [paragraph.strip() for paragraph in about.split("\n\n")]
    return [paragraph for paragraph in found if paragraph], [line.strip() for line in examples.strip().splitlines()]


def _summary(app: App) -> str:
    text = _parts(app.help or "")[0]
    return text[0] if text else ""


def usage(app: App, names: Sequence[str]) -> str:
    """Return how the command or group called *names* is typed."""
    words = ["kajabi", *names]
    if is_group(app):
        return " ".join([*words, "COMMAND"])
    arguments = _arguments(app)
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
    name = argument.field_info.name.upper().replace("_", "-")
    return f"{name.removesuffix('S')}..." if argument.is_var_positional() else name


def option_tables(app: App) -> dict[str, list[tuple[str, str]]]:
    """Return the arguments and options of a command, each with what it takes and its meaning, below their headings."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for argument in _arguments(app):
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
    if _is_flag(argument):
        # What is so by default needs no option.
        positives = () if argument.field_info.default is True else argument.positives
        return ", ".join((*positives, *argument.negatives))
    return f"{', '.join(argument.positives)} {_word(app, argument)}"


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
    return next((each.word for each in _metadata(annotation) if isinstance(each, Value)), "")


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
