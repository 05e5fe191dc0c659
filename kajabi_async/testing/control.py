"""The fake's back door, for programs in other processes: ``/_fake/...``, off the API's paths.

Only loopback peers get in that ask for a loopback host; no token is asked for, and what comes in is neither counted,
limited nor hit by faults. What a page in a browser sends is answered 403, under whatever name it found this address.

=============================  ==========================================================================
``GET /_fake/counts``          requests by operation, answered and limited, token grants, faults by kind
``DELETE /_fake/counts``       start all of these at nought
``GET /_fake/rate-limit``      the limit, or null
``PUT /_fake/rate-limit``      ``{"requests": 50, "per": 1.0, "retry_after": "seconds"}``, or ``null``
``PUT /_fake/faults``          ``{"seed": 7, "rate": 0.05, "kinds": ["transient"], "max_in_a_row": 2,
                               "path": null, "method": null, "by": "request"}``, each optional; a list of
                               such for several plans
``DELETE /_fake/faults``       no more faults, ordered or planned
``PUT /_fake/latency``         seconds before each answer, up to 3600
``PUT /_fake/clock``           ``{"jump": -3600}``, seconds to put the clock forward or back
``DELETE /_fake/tokens``       refuse every access token; refresh tokens stay good
``PUT /_fake/token-uses``      for how many requests a token is good, or ``null``
=============================  ==========================================================================

Answers are JSON: 200 with the new state, 400 with ``{"error": ...}`` for what makes no sense, 403 for another host or
origin, 404 for anything else.
"""

import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from kajabi_async.testing.answers import PLAIN_JSON, Reply, encoded
from kajabi_async.testing.faults.orders import FaultDesk
from kajabi_async.testing.faults.plan import FaultPlan
from kajabi_async.testing.json_shapes import is_array, is_object
from kajabi_async.testing.oauth import TokenDesk
from kajabi_async.testing.rate_limit import RateLimit, RateLimiter
from kajabi_async.testing.server_clock import ServerClock

__all__ = ["CONTROL_PATH", "BackDoor"]

CONTROL_PATH: Final = "/_fake/"
_OWN_PAGES: Final = frozenset({"none", "same-origin"})
"""What browsers call a request that no page of another origin has sent (Fetch Metadata Request Headers)."""


@attrs.frozen
class BackDoor:
    """Reads and changes one fake on behalf of another process."""

    desk: FaultDesk
    limiter: RateLimiter
    tokens: TokenDesk
    clock: ServerClock
    counts: Counter[str]

    @staticmethod
    def is_for(raw_path: str, peer: str | None) -> bool:
        """Tell whether a request is for the back door and may come in."""
        return raw_path.startswith(CONTROL_PATH) and peer is not None and _is_loopback(peer)

    def reply(self, method: str, raw_path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Do what is asked and tell the new state; *headers* are those of the request."""
        if not _is_for_this_machine(headers):
            return _refused(403, "only a loopback host is answered here, and no page of another origin")
        # No POST: a web page cannot send PUT or DELETE to another origin without asking first.
        verbs: dict[str, Callable[[Any], object]] = {
            "GET counts": lambda _: self._counts(),
            "DELETE counts": lambda _: self._reset_counts(),
            "GET rate-limit": lambda _: self._limit(),
            "PUT rate-limit": self._set_limit,
            "PUT faults": self._set_faults,
            "DELETE faults": lambda _: self._set_faults([]),
            "PUT latency": self._set_latency,
            "PUT clock": self._jump,
            "DELETE tokens": lambda _: self._expire_tokens(),
            "PUT token-uses": self._set_token_uses,
        }
        verb = verbs.get(f"{method} {raw_path.removeprefix(CONTROL_PATH)}")
        if verb is None:
            return _refused(404, "no such thing behind /_fake/")
        try:
            return _told(verb(json.loads(body) if method == "PUT" else None))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            return _refused(400, str(error))

    def _counts(self) -> dict[str, Any]:
        return {
            "requests": dict(self.counts),
            "answered": self.limiter.counts["answered"],
            "limited": self.limiter.counts["limited"],
            "token_grants": self.tokens.grants,
            "injected": dict(self.desk.injected),
        }

    def _reset_counts(self) -> dict[str, Any]:
        self.tokens.grants = 0
        for counter in (self.counts, self.limiter.counts, self.desk.injected):
            counter.clear()
        return self._counts()

    def _limit(self) -> dict[str, Any] | None:
        return None if self.limiter.limit is None else attrs.asdict(self.limiter.limit)

    def _set_limit(self, asked: Any) -> dict[str, Any] | None:
        self.limiter.limit = None if asked is None else RateLimit(**_object(asked))
        return self._limit()

    def _set_faults(self, asked: Any) -> list[dict[str, Any]]:
        plans = [FaultPlan(**_object(plan)) for plan in (asked if is_array(asked) else [asked])]
        self.desk.clear_faults()
        self.desk.faults = plans
        return [{"seed": plan.seed, "rate": plan.rate, "kinds": [fault.name for fault in plan.kinds]} for plan in plans]

    def _set_latency(self, asked: Any) -> float:
        self.desk.latency = asked
        return self.desk.latency

    def _jump(self, asked: Any) -> dict[str, float]:
        self.clock.jump(float(_object(asked)["jump"]))
        return {"offset": self.clock.offset}

    def _expire_tokens(self) -> dict[str, int]:
        self.tokens.expire_access_tokens()
        return {"token_grants": self.tokens.grants}

    def _set_token_uses(self, asked: Any) -> int | None:
        uses = None if asked is None else int(asked)
        if uses is not None and uses < 0:
            raise ValueError(f"a token lets 0 requests in or more, not {uses}")
        self.tokens.token_uses = uses
        return self.tokens.token_uses


def _is_for_this_machine(headers: Mapping[str, str]) -> bool:
    """Tell whether a request was meant for this machine by who sent it.

    A page of any site reaches a loopback address once its own name leads there (DNS rebinding); the browser then says
    that name in Host, and in Origin.
    """
    if not _is_loopback_url(f"//{headers.get('Host', '')}"):
        return False
    origin = headers.get("Origin")
    return (origin is None or _is_loopback_url(origin)) and headers.get("Sec-Fetch-Site", "none") in _OWN_PAGES


def _is_loopback_url(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _told(state: object) -> Reply:
    return Reply(200, encoded(state), PLAIN_JSON)


def _refused(status: int, why: str) -> Reply:
    return Reply(status, encoded({"error": why}), PLAIN_JSON)


def _object(value: Any) -> dict[str, Any]:
    if not is_object(value):
        raise TypeError("a JSON object is needed here")
    return value
