"""Reading from the API: one resource, one page, the pages of a list, and many ids at once.

Imports `decoding`, `models`, `jsonapi` and the leaves, never `session`: requests leave through the `Send` of its
`context`. Read `one` first, then `page`, `walk` and `pages` for lists, `run` and `lookups` for many ids.
"""
