"""Stateless randomness: draws depend only on the seed, the subject and its number."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

__all__ = ["Draw"]

_T = TypeVar("_T")


class Draw:
    """A reproducible sequence of random numbers for one subject, such as customer 17; enough for about thirty draws."""

    __slots__ = ("_pool",)

    def __init__(self, seed: int, subject: str, number: int) -> None:
        """Start the sequence for the *number*-th *subject* of the data set with *seed*."""
        digest = blake2b(f"{seed}:{subject}:{number}".encode(), digest_size=48).digest()
        self._pool = int.from_bytes(digest)

    def below(self, limit: int) -> int:
        """Return a number from 0 up to, but not including, *limit*."""
        self._pool, number = divmod(self._pool, limit)
        return number

    def one_in(self, odds: int) -> bool:
        """Return True with a probability of 1 in *odds*."""
        return self.below(odds) == 0

    def pick(self, options: Sequence[_T]) -> _T:
        """Return one of *options*."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[_T], count: int) -> tuple[_T, ...]:
        """Return *count* different ones of *options*, fewer if there are not enough."""
        left = list(options)
        return tuple(left.pop(self.below(len(left))) for _ in range(min(count, len(left))))
