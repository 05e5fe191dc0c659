"""When a request may leave: how many at once, how many a second, and how long it may take.

Imports `errors` and the leaves. Read `gate` first: every request passes it.
"""
