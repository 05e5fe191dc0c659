"""Chance without state: what is drawn depends on the seed, the subject and its number alone."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

__all__ = ["Draw"]

_T = TypeVar("_T")


class Draw:
    """A reproducible run of random numbers for one subject, such as customer 17; good for some thirty draws."""

    __slots__ = ("_pool",)

    def __init__(self, seed: int, subject: str, number: int) -> None:
        """Start the run for the *number*-th *subject* of the data set grown from *seed*."""
        digest = blake2b(f"{seed}:{subject}:{number}".encode(), digest_size=48).digest()
        self._pool = int.from_bytes(digest)

    def below(self, limit: int) -> int:
        """Give a number from 0 up to, not including, *limit*."""
        self._pool, number = divmod(self._pool, limit)
        return number

    def one_in(self, odds: int) -> bool:
        """Say yes once in *odds* times."""
        return self.below(odds) == 0

    def pick(self, options: Sequence[_T]) -> _T:
        """Give one of *options*."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[_T], count: int) -> tuple[_T, ...]:
        """Give *count* different ones of *options*, fewer where there are not as many."""
        left = list(options)
        return tuple(left.pop(self.below(len(left))) for _ in range(min(count, len(left))))
