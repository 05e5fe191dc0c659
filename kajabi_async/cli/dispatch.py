"""The command that was typed, found in `contents`, built and run; its errors reported."""

from collections.abc import Sequence

from kajabi_async.cli.contents import COMMANDS, Command, command_called
from kajabi_async.cli.credentials.profiles import using_profile
from kajabi_async.cli.descriptions import command_page, is_group, named
from kajabi_async.cli.error_lines import code_for, print_error
from kajabi_async.cli.front import ExitCode, print_page
from kajabi_async.cli.refusals import refuse
from kajabi_async.cli.usage import (
    asks_for_help,
    misuse,
    refuse_secrets,
    take_profile,
    unknown_command,
    wants_json,
    without_help,
)
from kajabi_async.errors import KajabiError
from kajabi_async.output import flush

__all__ = ["dispatch"]


def dispatch(tokens: list[str]) -> ExitCode | int:
    """Run the command that *tokens* name and return its exit code; errors of the SDK are reported."""
    try:
        profile, rest = take_profile(tokens)
        refuse_secrets(rest)
        with using_profile(profile):
            code = _page_or_command(rest)
        # At exit a broken pipe could not be caught.
        flush()
    except KajabiError as error:
        return _report(error, code_for(error), tokens)
    except KeyboardInterrupt:
        return _report(KeyboardInterrupt("interrupted"), ExitCode.INTERRUPTED, tokens)
    return code


def _page_or_command(tokens: list[str]) -> int:
    is_help = asks_for_help(tokens)
    words = without_help(tokens) if is_help else tokens
    command = _command(words)
    names, description = named(words)
    arguments = words[len(names) :]
    if is_help or (is_group(description) and not arguments):
        print_page(command_page(description))
        return ExitCode.DONE
    if is_group(description):
        raise misuse(f"A command is missing: one of {', '.join(sorted(description['commands']))}.", names)
    refuse(description, names, arguments)
    # What is printed or refused above needs no parser.
    from kajabi_async.cli.calling import call_command  # noqa: PLC0415

    return call_command(command, names, words)


def _command(words: Sequence[str]) -> Command:
    command = command_called(words[0]) if words else None
    if command is not None:
        return command
    first = next((word for word in words if command_called(word)), None)
    if first is not None and words[0].startswith("-"):
        names, _ = named(words[words.index(first) :])
        raise misuse(f"Options stand behind the command: `kajabi {' '.join(names)} {words[0]}`.", names)
    raise unknown_command(words[0] if words else "", [each.name for each in COMMANDS])


def _report(error: BaseException, code: ExitCode, tokens: list[str]) -> ExitCode:
    flush()
    print_error(error, code, json=wants_json(tokens))
    return code
