"""The options of a gate, checked once when it is made."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from kajabi_async.access.cache import Cache
from kajabi_async.checks import boolean, number, positive_seconds, with_methods
from kajabi_async.errors import ConfigurationError
from kajabi_async.hints import nearest_name

__all__ = ["Settings", "checked_cache", "refuse_unknown_options"]

_BELOW: Final = 10.0**9
_OPTIONS: Final = ["cache", "fresh", "fresh_denied", "stale", "budget", "thorough"]
_ELSEWHERE: Final = {
    **dict.fromkeys(("ttl", "max_age", "expires", "expire"), "; fresh= and stale= are in seconds"),
    **dict.fromkeys(("timeout", "deadline", "max_wait"), "; did you mean 'budget'?"),
    **dict.fromkeys(("redis", "store", "backend"), "; did you mean 'cache', such as cache=RedisCache(url)?"),
}


@attrs.frozen
class Settings:
    """Seconds, and whether whole lists are read."""

    fresh: float
    fresh_denied: float
    stale: float
    budget: float
    thorough: bool

    @classmethod
    def of(cls, *, fresh: Any, fresh_denied: Any, stale: Any, budget: Any, thorough: Any) -> "Settings":
        """Return the settings; ConfigurationError for one that makes no sense."""
        checked = cls(
            fresh=_seconds(fresh, of="fresh"),
            fresh_denied=_seconds(fresh_denied, of="fresh_denied"),
            stale=_seconds(stale, of="stale"),
            budget=positive_seconds(budget, of="budget", below=_BELOW, error=ConfigurationError),
            thorough=boolean(thorough, of="thorough", error=ConfigurationError),
        )
        if checked.stale < checked.fresh:
            raise ConfigurationError(f"stale={stale} must not be less than fresh={fresh}: both count from one reading")
        return attrs.evolve(checked, fresh_denied=min(checked.fresh_denied, checked.fresh))


def checked_cache(cache: Any) -> Cache:
    """Return *cache* if it has the methods of one."""
    checked: Cache = with_methods(cache, "get", "set", "delete", of="cache")
    if isinstance(cache, type):
        raise ConfigurationError(
            f"cache must be an object, got the class {cache.__name__}: write {cache.__name__}(...)"
        )
    return checked


def refuse_unknown_options(unknown: Mapping[str, Any]) -> None:
    """ConfigurationError, with what to write instead, for the first option that a gate does not have."""
    for name in unknown:
        near = _ELSEWHERE.get(name) or nearest_name(name, _OPTIONS) or f"; its options are {', '.join(_OPTIONS)}"
        raise ConfigurationError(f"AccessGate() has no option {name!r}{near}")


def _seconds(value: Any, *, of: str) -> float:
    expected = "a number of seconds, 0 or more"
    return number(value, of=of, expected=expected, fits=lambda it: 0 <= it < _BELOW, error=ConfigurationError)
