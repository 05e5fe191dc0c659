"""Random JSON, JSON:API documents that are nearly right, and links that are nearly one of the API's."""

import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["document_bodies", "json_values", "linkages", "links", "relationships"]

_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()

json_values: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _sometimes(expected: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly the expected member, sometimes any other JSON."""
    return st.one_of(expected, expected, expected, json_values)


def _object(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: _sometimes(value) for name, value in members.items()})


_identifiers = _object(type=st.sampled_from(["customers", "offers", ""]), id=st.text(max_size=4) | st.integers())
linkages: st.SearchStrategy[Any] = _sometimes(st.none() | _identifiers | st.lists(_identifiers, max_size=3))
_link_values = _sometimes(st.none() | st.text(max_size=10) | _object(href=st.text(max_size=10), meta=json_values))
_relationships = _object(
    data=linkages, links=_object(self=_link_values, related=_link_values, data=linkages), meta=json_values
)
relationships: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text(max_size=6), _sometimes(_relationships), max_size=3
)
_rows = _object(
    type=st.sampled_from(["customers", "offers"]),
    id=st.text(max_size=4) | st.integers(),
    attributes=st.dictionaries(st.text(max_size=6), json_values, max_size=3),
    relationships=relationships,
    links=st.dictionaries(st.sampled_from(["self", "contact"]), _link_values),
    meta=json_values,
    included=st.just([]),
)
_documents = _object(
    data=st.none() | _rows | st.lists(_sometimes(_rows), max_size=3),
    included=st.lists(_sometimes(_rows), max_size=3),
    errors=st.lists(_object(title=st.text(), status=st.integers() | st.text(), source=json_values), max_size=2),
    links=st.dictionaries(st.sampled_from(["self", "next", "prev"]), _link_values),
    meta=json_values,
    jsonapi=json_values,
)
document_bodies: st.SearchStrategy[bytes] = st.one_of(
    _sometimes(_documents).map(lambda document: json.dumps(document).encode()),
    st.binary(max_size=60),
)

_WORDS = """
    https http : / // /// \\ @ ? & = # . .. ; % %2e %2F %00 %zz %ff v1 api /v1/ /api/v1/ api.kajabi.com app.kajabi.com
    API.KAJABI.COM 127.0.0.1:8080 evil.example :443 :0 :99999 [::1] [ ] user:pass@ customers contacts hooks 123 offers
    relationships purchase_sample page[number]=2 page%5Bnumber%5D=2 filter[site_id]=9 /..//evil.example/v1/contacts/1
"""
_pieces = st.sampled_from([*_WORDS.split(), " ", "\t", "\n", "\x00", "é", "\uff11\uff12", "\u212a", "\ud800"])
links: st.SearchStrategy[str] = st.one_of(
    st.lists(_pieces, max_size=10).map("".join),
    st.lists(_pieces, max_size=5).map(lambda pieces: "https://api.kajabi.com/v1/" + "".join(pieces)),
    st.text(max_size=30),
)
