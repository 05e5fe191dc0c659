"""The coroutines of ``api.customers`` and the other resources: their arguments, requests and answers.

Stands on `fetching`, `decoding`, `models` and the table of `operations`; knows no session. Read `base` first, then one
family, such as `people`.
"""
