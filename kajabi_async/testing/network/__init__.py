"""A TCP proxy that does to bytes what bad networks do.

Imports nothing else of the package. Read `proxy` first: `connection` is one connection through it, and `toxics` are
what happens to its bytes.
"""
