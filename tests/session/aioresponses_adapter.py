"""aioresponses with aiohttp 3.14.

aioresponses 0.7.9 builds its answers without the ``stream_writer`` that `aiohttp.ClientResponse` has needed since
3.14. A ``response_class`` that fills it in is all that is missing; this module can go with the first release of
aioresponses that passes it by itself (0.8 is expected to).
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import aiohttp
from aioresponses import aioresponses

__all__ = ["AnswerOf314", "answering"]


class AnswerOf314(aiohttp.ClientResponse):
    """An answer that needs no connection."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        keywords.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*arguments, **keywords)


@contextmanager
def answering() -> Generator[Any]:
    """Answer requests of any aiohttp session without a socket; the arguments have no precise types."""
    mocked: Any
    with aioresponses() as mocked:
        original = mocked.add

        def add(url: Any, *arguments: Any, **keywords: Any) -> None:
            keywords.setdefault("response_class", AnswerOf314)
            original(url, *arguments, **keywords)

        mocked.add = add
        yield mocked
