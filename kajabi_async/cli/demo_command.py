"""``kajabi demo``."""

from kajabi_async.cli.options import Json
from kajabi_async.cli.running import run_to_exit_code
from kajabi_async.cli.screens import output_screen

__all__ = ["demo"]


def demo(*, json: Json = False) -> int:
    """Show the main job against a fake of the API inside this process; needs no account.

    Examples:
      kajabi demo
    """
    # Imported here, as a refused argument does not need the fake.
    from kajabi_async.cli.demo import demonstrate  # noqa: PLC0415

    return run_to_exit_code(lambda: demonstrate(output_screen(), json=json))
