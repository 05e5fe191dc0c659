"""The descriptions of all commands; ``python -m tests.cli.pages`` writes them, after a command has changed.

They are read in place of the commands where these have no more: a test compares both.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import COMMANDS, Command
from kajabi_async.cli.descriptions import FOLDER, Description, description_of, file_of, is_group
from tests.cli.describing import described

_WIDTH: Final = 120


def text_of(command: Command) -> str:
    """Return what the file of *command* should hold."""
    description: Any = described(app_of([command])[command.name], [command.name])
    return _written(description) + "\n"


def described_commands() -> Iterator[tuple[list[str], Description]]:
    """Yield the names and the description of every command that does something."""
    for command in COMMANDS:
        yield from commands_in([command.name], description_of(command.name))


def commands_in(names: list[str], description: Description) -> Iterator[tuple[list[str], Description]]:
    """Yield the names and the description of the command called *names*, or of each one in that group."""
    if not is_group(description):
        yield names, description
    for name, each in description["commands"].items():
        yield from commands_in([*names, name], each)


def _written(value: Any, indent: str = "") -> str:
    """Return JSON with short lists and objects on one line, so that a change shows as few lines."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _WIDTH or isinstance(value, str):
        return line
    inner, is_object = f"{indent} ", hasattr(value, "items")
    parts = [
        f"{json.dumps(each)}: {_written(value[each], inner)}" if is_object else _written(each, inner) for each in value
    ]
    opening, closing = "{}" if is_object else "[]"
    body = f",\n{inner}".join(parts)
    return f"{opening}\n{inner}{body}\n{indent}{closing}"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    names = {file_of(command.name).name for command in COMMANDS}
    for stale in FOLDER.glob("*.json"):
        if stale.name not in names:
            stale.unlink()
    for command in COMMANDS:
        file_of(command.name).write_text(text_of(command), encoding="utf-8")


if __name__ == "__main__":
    main()
