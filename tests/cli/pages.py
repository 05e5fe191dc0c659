"""``python -m tests.cli.pages`` writes the descriptions of all commands, after one of them has changed."""

import json
from typing import Any, Final

from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import COMMANDS, Command
from kajabi_async.cli.describing import described
from kajabi_async.cli.descriptions import FOLDER, file_of

_WIDTH: Final = 120


def text_of(command: Command) -> str:
    """Return what the file of *command* should hold."""
    description: Any = described(app_of([command])[command.name], [command.name])
    return _written(description) + "\n"


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
