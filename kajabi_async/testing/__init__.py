"""A stateful fake of the API on a real loopback socket, to test your own code against."""

from kajabi_async.testing.oauth import IssuedTokens
from kajabi_async.testing.orders import FaultOrder
from kajabi_async.testing.records import Effect, RecordedRequest
from kajabi_async.testing.server import FakeKajabi

__all__ = ["Effect", "FakeKajabi", "FaultOrder", "IssuedTokens", "RecordedRequest"]
