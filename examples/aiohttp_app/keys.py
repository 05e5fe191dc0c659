"""The keys of the objects that all requests share."""

from aiohttp import web

from kajabi_async import Kajabi
from kajabi_async.access import AccessGate
from kajabi_async.webhooks import Receiver

__all__ = ["API", "GATE", "RECEIVER"]

API = web.AppKey("api", Kajabi)
GATE = web.AppKey("gate", AccessGate)
RECEIVER = web.AppKey("receiver", Receiver)
