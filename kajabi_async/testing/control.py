"""The fake's back door, for programs in other processes: ``/_fake/...``, off the API's paths.

Only loopback peers get in, no token is asked for, and what comes in is neither counted, limited nor hit by faults.

=============================  ==========================================================================
``GET /_fake/counts``          requests by operation, answered and limited, token grants, faults by kind
``DELETE /_fake/counts``       start all of these at nought
``GET /_fake/rate-limit``      the limit, or null
``PUT /_fake/rate-limit``      ``{"requests": 50, "per": 1.0, "retry_after": "seconds"}``, or ``null``
``PUT /_fake/faults``          ``{"seed": 7, "rate": 0.05, "kinds": ["transient"], "max_in_a_row": 2,
                               "path": null, "method": null, "by": "request"}``, each optional; a list of
                               such for several plans
``DELETE /_fake/faults``       no more faults, ordered or planned
``PUT /_fake/latency``         seconds before each answer
``PUT /_fake/clock``           ``{"jump": -3600}``, seconds to put the clock forward or back
``DELETE /_fake/tokens``       refuse every access token; refresh tokens stay good
``PUT /_fake/token-uses``      for how many requests a token is good, or ``null``
=============================  ==========================================================================

Answers are JSON: 200 with the new state, 400 with ``{"error": ...}`` for what makes no sense, 404 for anything else.
"""

import ipaddress
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import attrs

from kajabi_async.testing.answers import PLAIN_JSON, Reply, encoded
from kajabi_async.testing.faults.plan import FaultPlan
from kajabi_async.testing.json_shapes import is_array, is_object
from kajabi_async.testing.oauth import TokenDesk
from kajabi_async.testing.orders import FaultDesk
from kajabi_async.testing.rate_limit import RateLimit, RateLimiter
from kajabi_async.testing.server_clock import ServerClock

__all__ = ["CONTROL_PATH", "BackDoor"]

CONTROL_PATH: Final = "/_fake/"


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
        if not raw_path.startswith(CONTROL_PATH) or peer is None:
            return False
        address = ipaddress.ip_address(peer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address).is_loopback

    def reply(self, method: str, raw_path: str, body: bytes) -> Reply:
        """Do what is asked and tell the new state."""
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
        except (AttributeError, LookupError, TypeError, ValueError) as error:
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
        self.desk.latency = max(0.0, float(asked))
        return self.desk.latency

    def _jump(self, asked: Any) -> dict[str, float]:
        self.clock.jump(float(_object(asked)["jump"]))
        return {"offset": self.clock.offset}

    def _expire_tokens(self) -> dict[str, int]:
        self.tokens.expire_access_tokens()
        return {"token_grants": self.tokens.grants}

    def _set_token_uses(self, asked: Any) -> int | None:
        self.tokens.token_uses = None if asked is None else int(asked)
        return self.tokens.token_uses


def _told(state: object) -> Reply:
    return Reply(200, encoded(state), PLAIN_JSON)


def _refused(status: int, why: str) -> Reply:
    return Reply(status, encoded({"error": why}), PLAIN_JSON)


def _object(value: Any) -> dict[str, Any]:
    if not is_object(value):
        raise TypeError("a JSON object is needed here")
    return value
