"""Tools for testing your own code: a stateful fake of the API on a real socket, with faults to inject.

``FakeKajabi`` answers as the API does, with data generated from a seed, writes that persist and tokens that expire::

    async with FakeKajabi(customers=50) as fake:
        api = Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url)
        customer = await api.customers.get("7")
        assert fake.counts["customers.get"] == 1

In pytest the fixtures ``kajabi_fake`` and ``kajabi_api`` are available once the package is installed.

Single faults
-------------

``inject`` takes a fault or the name of a kind of fault; ``kajabi_async.testing.faults`` lists all kinds::

    fake.inject("html_error", path="customers.get")                     # the next customer: 502 and a web page
    fake.inject(faults.TooManyRequests("date", 2.0), times=3)           # the next three requests of any kind
    fake.inject(faults.LostAnswer(), method="POST", path="/v1/contacts")
    fake.inject("token_expired", times=None).cancel()                   # every request, until cancelled
    fake.inject("retry_after_seconds", path="oauth.token")              # the token endpoint is a path like any other
    fake.token_uses = 100                                               # each token expires after 100 requests
    fake.clock.jump(-3600)                                              # set the server's clock back by an hour

Reproducible mixes of faults
----------------------------

A ``FaultPlan`` hits a share of all requests. The same seed and the same requests produce the same faults, whatever
the concurrency, and *max_in_a_row* limits how often one request fails in a row::

    plan = FaultPlan(seed=7, rate=0.05, kinds=["transient", faults.Delay(0.0, up_to=0.3)], max_in_a_row=2)
    async with FakeKajabi(customers=100_000, faults=plan) as fake:
        ...
        print(fake.injected)        # how often each kind happened
        print(fake.injections[-1])  # the request and the attempt that the latest fault hit

An unannounced rate limit
-------------------------

::

    fake.rate_limit = 50                                       # in any second, for all clients together; a bare 429
    fake.rate_limit = RequestLimit(100, 60.0, retry_after="seconds")
    print(fake.traffic["answered"], fake.traffic["limited"])

Bad networks
------------

A ``FaultProxy`` stands in front of any TCP server on this machine, Redis as well as the fake. Its toxics
(``kajabi_async.testing.toxics``) have the names of Toxiproxy's::

    async with FaultProxy("redis://127.0.0.1:6379/0") as proxy:
        slow = proxy.add(toxics.Latency(0.2, jitter=0.1), toxicity=0.5)  # half of the connections
        proxy.add(toxics.LimitData(10_000), "upstream")
        connect(proxy.url)
        proxy.remove(slow)
        proxy.add(toxics.Down())

Deliveries to hooks
-------------------

With ``deliver_hooks`` the fake posts to hooks on this machine after writes, as unreliably as you configure, so that a
receiver can be tested end to end::

    async with FakeKajabi(deliver_hooks=HookDeliveries(late=0.5, doubled=0.2, in_order=False)) as fake:
        await api.hooks.ensure("http://127.0.0.1:8080/kajabi/s3cr3t", ["tag_added"], site_id="1")
        await api.contacts.add_tags("2150000001", ["5"])
        await fake.hooks_delivered()
        print(fake.deliveries, fake.dead_hooks)

Several processes
-----------------

``python -m kajabi_async.testing`` serves the fake in its own process and prints its address as one line of JSON;
``--help`` lists the options. ``kajabi_async.testing.control`` describes what other processes can read and change
while it runs::

    $ python -m kajabi_async.testing --port 8900 --rate-limit 50 --fault transient --fault-rate 0.02 &
    $ curl -X PUT http://127.0.0.1:8900/_fake/rate-limit -d '{"requests": 20, "retry_after": "seconds"}'
    $ curl http://127.0.0.1:8900/_fake/counts

The fake imports nothing of the client but its table of operations: it is the witness, so it says again what the API
does. Read `fake` first, then `server`, `world` and `api`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kajabi_async.testing import faults, toxics
    from kajabi_async.testing.deliveries import Delivered, HookDeliveries
    from kajabi_async.testing.fake import FakeKajabi
    from kajabi_async.testing.faults.incident import Fault, Incident
    from kajabi_async.testing.faults.mix import FaultPlan, Injection
    from kajabi_async.testing.faults.orders import FaultOrder
    from kajabi_async.testing.faults.statuses import RetryAfter
    from kajabi_async.testing.network.proxy import ActiveToxic, FaultProxy
    from kajabi_async.testing.oauth import IssuedTokens
    from kajabi_async.testing.quirks import Quirks
    from kajabi_async.testing.rate_limit import RateLimit, RequestLimit
    from kajabi_async.testing.recorded import Effect, RecordedRequest, Write
    from kajabi_async.testing.replies import Reply
    from kajabi_async.testing.server_clock import ServerClock
    from kajabi_async.testing.toxics import Toxic

__all__ = [
    "ActiveToxic",
    "Delivered",
    "Effect",
    "FakeKajabi",
    "Fault",
    "FaultOrder",
    "FaultPlan",
    "FaultProxy",
    "HookDeliveries",
    "Incident",
    "Injection",
    "IssuedTokens",
    "Quirks",
    "RateLimit",
    "RecordedRequest",
    "Reply",
    "RequestLimit",
    "RetryAfter",
    "ServerClock",
    "Toxic",
    "Write",
    "faults",
    "toxics",
]

# Import each name on first use: pytest imports this package, with the plugin, in every project that has it installed.
_HOMES: Final = {
    "ActiveToxic": "network.proxy",
    "Delivered": "deliveries",
    "Effect": "recorded",
    "FakeKajabi": "fake",
    "Fault": "faults.incident",
    "FaultOrder": "faults.orders",
    "FaultPlan": "faults.mix",
    "FaultProxy": "network.proxy",
    "HookDeliveries": "deliveries",
    "Incident": "faults.incident",
    "Injection": "faults.mix",
    "IssuedTokens": "oauth",
    "Quirks": "quirks",
    "RateLimit": "rate_limit",
    "RecordedRequest": "recorded",
    "Reply": "replies",
    "RequestLimit": "rate_limit",
    "RetryAfter": "faults.statuses",
    "ServerClock": "server_clock",
    "Toxic": "toxics",
    "Write": "recorded",
}

if not TYPE_CHECKING:  # Otherwise type checkers would accept any misspelt name.

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            module = import_module(f"{__name__}.{_HOMES[name]}")
            return globals().setdefault(name, getattr(module, name))
        if name in __all__:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "Final", "import_module"})
