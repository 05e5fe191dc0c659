"""One token and one rate for processes and machines that share a Redis (extra ``redis``).

Restrict access to that Redis: it holds the token in clear text, and anyone who can read it can act as the API key until
the token expires. Each object belongs to one event loop, and its creator closes it.

Imports the protocols of `session`. Read `calls` first: it is the one way to Redis. `tokens` and
`shared_rate` stand on it.
"""

try:
    from kajabi_async.stores.redis.shared_rate import RedisRate
    from kajabi_async.stores.redis.tokens import RedisTokenStore
except ModuleNotFoundError as error:
    if error.name != "redis":
        raise
    raise ImportError("sharing over Redis needs the extra 'redis': pip install 'kajabi-async[redis]'") from error

__all__ = ["RedisRate", "RedisTokenStore"]
