"""Stores shared by processes and machines: one token, one rate of requests.

Each module needs its extra: `kajabi_async.stores.file` needs ``file``, `kajabi_async.stores.redis` needs ``redis``.

Imports the protocols of `session`. Read `file` first, then `redis.tokens`.
"""
