"""The JSON:API 1.1 standard as pure functions and values: no I/O, and nothing about Kajabi.

Imports `errors` alone. Read `document` first: it makes rows, included resources, links and meta of the bytes of an
answer. `codec` is the boundary to the JSON decoder, `limits` bounds what a text may become before it is decoded,
`linkage` and `links` read relations, `query` and `ids` write requests, `error_objects` reads errors.
"""
