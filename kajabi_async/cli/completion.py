"""``kajabi completion``: the script with which a shell completes commands and options."""

import shlex
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from cyclopts import App, Parameter
from cyclopts.completion import ShellDetectionError, detect_shell

from kajabi_async.cli.building import app_of
from kajabi_async.cli.contents import Command
from kajabi_async.cli.options import Json
from kajabi_async.cli.screens import output_screen
from kajabi_async.errors import ConfigurationError
from kajabi_async.output import print_json, print_script
from kajabi_async.private_files import owner_only

__all__ = ["completion"]

# In the order of cyclopts 5.0, which has the same union with None: typing keeps one of them for both.
Shell = Literal["zsh", "bash", "fish"]


_HELP: Final = """Complete commands and options in bash, zsh and fish.

Examples:
  kajabi completion install
  kajabi completion show bash
"""


def completion(command: Command) -> App:
    """Return the group of the commands that show and install completion."""
    group = App(name=command.name, help=_HELP)

    def show(shell: Shell | None = None, /, *, json: Json = False) -> None:
        """Print the completion script of a shell, by default the current one.

        Examples:
          kajabi completion show zsh
        """
        chosen = shell or _current_shell()
        script = app_of().generate_completion(shell=chosen)
        if json:
            print_json({"shell": chosen, "script": script})
        else:
            print_script(script)

    def install(
        shell: Shell | None = None,
        /,
        *,
        startup: Annotated[bool, Parameter(help="Do not add the line that loads it to ~/.bashrc or ~/.zshrc.")] = True,
        json: Json = False,
    ) -> None:
        """Install the completion script for new shells.

        Writes ~/.local/share/bash-completion/completions/kajabi, ~/.zsh/completions/_cyclopts_kajabi or
        ~/.config/fish/completions/kajabi.fish, and a line in ~/.bashrc or ~/.zshrc. Running it again is safe.

        Examples:
          kajabi completion install
          kajabi completion install zsh --no-startup
        """
        chosen = shell or _current_shell()
        try:
            # Shells run these files, so other users must not be able to write to them, whatever the umask.
            with owner_only():
                path = app_of().install_completion(shell=chosen, add_to_startup=startup)
        except OSError as error:
            raise ConfigurationError(
                f"cannot install the completion script ({error.strerror}: {error.filename}): "
                f"`kajabi completion show {chosen}` prints it"
            ) from None
        if json:
            print_json({"shell": chosen, "path": str(path)})
        else:
            output_screen().line(f"Installed {path}. {_next_step(chosen, path, startup=startup)}")

    group.command(show)
    group.command(install)
    return group


def _current_shell() -> Shell:
    shells: tuple[Shell, ...] = get_args(Shell)
    try:
        detected = detect_shell()
    except ShellDetectionError:
        detected = None
    for shell in shells:
        if shell == detected:
            return shell
    raise ConfigurationError(f"cannot detect the shell: name it, one of {', '.join(shells)}")


def _next_step(shell: Shell, path: Path, *, startup: bool) -> str:
    if shell == "fish":
        return "New shells complete kajabi."
    if startup:
        return f"New shells complete kajabi; here, run: exec {shell}"
    line = f". {shlex.quote(str(path))}" if shell == "bash" else f"fpath=({shlex.quote(str(path.parent))} $fpath)"
    return f"To load it, add to ~/.{shell}rc: {line}"
