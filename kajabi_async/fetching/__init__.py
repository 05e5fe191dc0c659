"""Reading from the API: one resource, one page, the pages of a list, and many ids at once.

Imports `decoding`, `models`, `jsonapi` and the leaves, never `session`: requests are sent through the `Send` of its
`context`. Read `one` first. Then `page`, `walk` and `pages` for lists; `run`, `backlog` and `lookups` for many ids;
`scan`, `forecast` and `plan` for many ids off the pages of a list.
"""
