"""Where the command takes its credentials from, and where it keeps them.

Imports `client`, `session` and the leaves. Read `chain` first: it looks in the environment, then in `toml_file`, then
in `keyring`.
"""
