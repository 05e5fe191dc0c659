"""The suffixes by which the API compares attributes, as its document names them (the server runs on Ransack)."""

from typing import Final

__all__ = ["ORDER_SUFFIXES", "SUFFIXES", "SUFFIXES_WITH_RANGES"]

# gte and lte stand in the document; Ransack has gteq and lteq, and integrators use those.

SUFFIXES: Final = ("eq", "cont", "not_eq", "not_cont", "start", "end")
SUFFIXES_WITH_RANGES: Final = (*SUFFIXES, "gt", "gteq", "gte", "lt", "lteq", "lte")
ORDER_SUFFIXES: Final = ("eq", "gt", "gteq", "lt", "lteq", "cont", "start", "i_cont", "in", "not_in", "null")
