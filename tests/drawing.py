"""The number of examples of a test of hypothesis: all of them in ``make thorough``, a share of them on every commit."""

from typing import Final

from hypothesis import settings

__all__ = ["DRAWN", "SHARE", "VARIED", "examples"]

VARIED: Final = "varied"
"""The profile of ``make thorough``."""
DRAWN: Final = 100
"""Examples of a test that names no number."""
SHARE: Final = 4
"""One example out of so many is drawn on every commit: they are the same ones each time."""


def examples(number: int) -> settings:
    """Return the settings of a test that draws *number* examples in ``make thorough``."""
    is_thorough = settings.get_current_profile_name() == VARIED
    return settings(max_examples=number if is_thorough else number // SHARE)
