"""A `Canned` that knows how many requests were under way at once."""

from typing import Any

from tests.sending import Canned

__all__ = ["Crowd"]


class Crowd(Canned):
    """Counts requests from when they are sent until they are answered."""

    most_at_once = 0
    _under_way = 0

    async def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return await super().__call__(*arguments, **keywords)
        finally:
            self._under_way -= 1
