"""``kajabi doctor``: checks of everything between this machine and the API, each with a cure.

Read `command` first: it runs the checks of `machine`, `network` and `remote` in turn; each returns a `Finding`.
"""
