"""The suffixes by which the API compares attributes, as its document names them (the server runs on Ransack)."""

from typing import Final

__all__ = ["ORDER_SUFFIXES", "SUFFIXES", "SUFFIXES_WITH_RANGES"]

SUFFIXES: Final = ("eq", "cont", "not_eq", "not_cont", "start", "end")
SUFFIXES_WITH_RANGES: Final = (*SUFFIXES, "gt", "gte", "lt", "lte")
ORDER_SUFFIXES: Final = ("eq", "gt", "gteq", "lt", "lteq", "cont", "start", "i_cont", "in", "not_in", "null")
