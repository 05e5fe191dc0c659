"""Numbers with their nouns, for messages: ``1 customer``, ``1,001 customers``."""

__all__ = ["counted"]


def counted(number: int, singular: str, plural: str = "") -> str:
    """Return *number* and the noun that fits it, in the plural by default with an ``s``."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
