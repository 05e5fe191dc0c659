"""The token of a client: requested, shared with other processes, refreshed and revoked.

Imports `errors`, `exchange` and the leaves. Read `keeper` first: it holds the token and requests the next one.
"""
