"""The group of commands of each resource: ``list`` and ``get``, and what else it has."""

import inspect
import re
from importlib import import_module
from typing import Final

from cyclopts import App

from kajabi_async.cli.contents import Command
from kajabi_async.cli.find import find_command
from kajabi_async.cli.hook_commands import HOOK_WRITES
from kajabi_async.cli.lookup import lookup_command
from kajabi_async.cli.read_commands import get_command, list_command
from kajabi_async.cli.signatures import ResourceClass, example_site, resource_class
from kajabi_async.cli.write_commands import WRITES

__all__ = ["resource_group"]

_SOURCE: Final = re.compile(r" \((?:observed|API document)\)")
"""Where a docstring has a fact from, which the page of a command need not say."""
_WITH_EMAILS: Final = ("customers", "contacts")
_WRITES: Final = {**WRITES, "hooks": HOOK_WRITES}


def resource_group(command: Command) -> App:
    """Return the group of a resource."""
    import_module(f"kajabi_async.resources.{command.family}")
    cls = resource_class(command.name)
    group = App(name=command.name, help=_help(command, cls))
    group.command(list_command(cls), name="list")
    group.command(get_command(cls), name="get")
    for name, write in _WRITES.get(cls.name, {}).items():
        group.command(write, name=name)
    if command.name in _WITH_EMAILS:
        group.command(find_command(cls), name="find")
    if command.name == "customers":
        group.command(lookup_command(cls), name="lookup")
    return group


def _help(command: Command, cls: ResourceClass) -> str:
    """Return the first paragraph of the class's docstring without its leading name, and two examples."""
    text = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    note = text.removeprefix(f"``api.{cls.name}``").lstrip(":;. ").replace("``include``", "--include")
    note = _SOURCE.sub("", note).replace("``", "`")
    note = f"{note[:1].upper()}{note[1:]}"
    about = note if note.startswith(command.summary) else f"{command.summary}. {note}".rstrip()
    site = example_site(cls)
    examples = f"  kajabi {command.name} list{site}\n  kajabi {command.name} get 1{site}"
    return f"{about}\n\nExamples:\n{examples}"
