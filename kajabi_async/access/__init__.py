"""Who has access: yes, no or not known, in bounded time, also while Kajabi is paused, broken or gone.

::

    gate = AccessGate(api, cache=RedisCache("redis://localhost"))
    access = await gate.check(email="ada@example.com", offers=["4"])
    if access.allowed: ...
    elif access.unknown: ...        # 503: neither in nor away

Imports the client and, for ``RedisCache``, the stores; nothing imports it but the command. Read ``access_gate.py``
first: it has ``known.py`` load the records, ``judging.py`` say what follows from them, and ``holdings_reader.py`` read
the API.
"""

from typing import TYPE_CHECKING

from kajabi_async.access.access_gate import AccessGate
from kajabi_async.access.answer import Access, State
from kajabi_async.access.cache import Cache, MemoryCache

if TYPE_CHECKING:
    from kajabi_async.access.redis_cache import RedisCache

__all__ = ["Access", "AccessGate", "Cache", "MemoryCache", "RedisCache", "State"]

if not TYPE_CHECKING:  # Otherwise type checkers would accept any misspelt name.

    def __getattr__(name: str) -> object:
        # It needs the extra 'redis'.
        if name == "RedisCache":
            from kajabi_async.access.redis_cache import RedisCache  # noqa: PLC0415 - see above

            return globals().setdefault(name, RedisCache)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})
