"""The control endpoint of the fake for programs in other processes: ``/_fake/...``, outside the API's paths.

It accepts loopback peers that name a loopback host, without a token; these requests are not counted, limited or hit
by faults. Requests from web pages in a browser get a 403, whatever host name they use.

=============================  ==========================================================================
``GET /_fake/counts``          requests by operation, answered and limited, token grants, faults by kind
``DELETE /_fake/counts``       reset all of these to zero
``GET /_fake/rate-limit``      the limit, or null
``PUT /_fake/rate-limit``      ``{"requests": 50, "per": 1.0, "retry_after": "seconds"}``, or ``null``
``PUT /_fake/faults``          ``{"seed": 7, "rate": 0.05, "kinds": ["transient"], "max_in_a_row": 2,
                               "path": null, "method": null, "by": "request"}``, each optional; a list of
                               these for several plans
``DELETE /_fake/faults``       remove all faults, injected or planned
``PUT /_fake/latency``         seconds before each answer, up to 3600
``PUT /_fake/clock``           ``{"jump": -3600}``, seconds to move the clock forward or back
``DELETE /_fake/tokens``       expire every access token; refresh tokens stay valid
``PUT /_fake/token-uses``      the number of requests after which a token expires, or ``null``
=============================  ==========================================================================

Answers are JSON: 200 with the new state, 400 with ``{"error": ...}`` for an invalid body, 403 for another host or
origin, 404 for any other path.
"""

import ipaddress
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from kajabi_async.testing.faults.mix import FaultPlan
from kajabi_async.testing.faults.orders import FaultDesk
from kajabi_async.testing.json_shapes import is_array, is_object
from kajabi_async.testing.oauth import TokenDesk
from kajabi_async.testing.rate_limit import RateLimiter, RequestLimit
from kajabi_async.testing.replies import Reply, plain_error, plain_reply
from kajabi_async.testing.server_clock import ServerClock

__all__ = ["CONTROL_PATH", "ControlEndpoint"]

CONTROL_PATH: Final = "/_fake/"
_OWN_PAGES: Final = frozenset({"none", "same-origin"})
"""The Sec-Fetch-Site values of requests that no page of another origin sent (Fetch Metadata Request Headers)."""


@attrs.frozen
class ControlEndpoint:
    """Reads and changes the state of one fake for another process."""

    desk: FaultDesk
    limiter: RateLimiter
    tokens: TokenDesk
    clock: ServerClock
    counts: Counter[str]

    @staticmethod
    def is_for(raw_path: str, peer: str | None) -> bool:
        """Return whether a request is for the control endpoint and comes from a loopback peer."""
        return raw_path.startswith(CONTROL_PATH) and peer is not None and _is_loopback(peer)

    def reply(self, method: str, raw_path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Execute a request and return the new state; *headers* are those of the request."""
        if not _is_for_this_machine(headers):
            return plain_error(
                403, "only requests for a loopback host are accepted, and none from a page of another origin"
            )
        # No POST: a web page cannot send PUT or DELETE to another origin without a preflight.
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
            return plain_error(404, "no such path under /_fake/")
        try:
            return plain_reply(200, verb(json.loads(body) if method == "PUT" else None))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            return plain_error(400, str(error))

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

    def _set_limit(self, value: Any) -> dict[str, Any] | None:
        self.limiter.limit = None if value is None else RequestLimit(**_object(value))
        return self._limit()

    def _set_faults(self, value: Any) -> list[dict[str, Any]]:
        plans = [FaultPlan(**_object(plan)) for plan in (value if is_array(value) else [value])]
        self.desk.clear_faults()
        self.desk.faults = plans
        return [{"seed": plan.seed, "rate": plan.rate, "kinds": [fault.name for fault in plan.kinds]} for plan in plans]

    def _set_latency(self, value: Any) -> float:
        self.desk.latency = value
        return self.desk.latency

    def _jump(self, value: Any) -> dict[str, float]:
        self.clock.jump(float(_object(value)["jump"]))
        return {"offset": self.clock.offset}

    def _expire_tokens(self) -> dict[str, int]:
        self.tokens.expire_access_tokens()
        return {"token_grants": self.tokens.grants}

    def _set_token_uses(self, value: Any) -> int | None:
        uses = None if value is None else int(value)
        if uses is not None and uses < 0:
            raise ValueError(f"a token is valid for 0 or more requests, not {uses}")
        self.tokens.token_uses = uses
        return self.tokens.token_uses


def _is_for_this_machine(headers: Mapping[str, str]) -> bool:
    """Return whether the sender of a request addressed this machine.

    A page of any site reaches a loopback address once its own host name resolves to it (DNS rebinding); the browser
    then sends that name in Host and in Origin.
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


def _object(value: Any) -> dict[str, Any]:
    if not is_object(value):
        raise TypeError("the body has to be a JSON object")
    return value
