"""The JSON:API 1.1 standard as pure functions and values: no I/O, and no word about Kajabi."""
