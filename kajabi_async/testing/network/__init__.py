"""A TCP proxy that does to bytes what bad networks do.

Imports `testing.toxics`, what happens to the bytes, and nothing else of the package. Read `proxy` first; `connection`
is one connection through it.
"""
