"""How the body of an answer becomes models.

Imports `models`, `jsonapi` and `errors`; it is the only package that names cattrs. Read `answers` first: it is the one
entry. `fast` reads rows that are as documented, `decoder` every other form, with the conversions of `values`.
"""
