"""Where the command takes its credentials from, and where it keeps them.

Imports `client`, `session` and the leaves. Read `sources` first: it asks the environment, then `file`, then `keyring`.
"""
