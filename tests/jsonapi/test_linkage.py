import json
import sys
from typing import Any

import pytest
from hypothesis import given

from kajabi_async.errors import DecodeError
from kajabi_async.jsonapi.linkage import (
    MISSING,
    Identifier,
    LinkageState,
    Relationship,
    identifiers_of,
    link_of,
    read_linkage,
    read_linked_ids,
    read_relationships,
)
from tests.jsonapi.strategies import document_bodies, json_values, linkages, relationships

OFFER = {"type": "offers", "id": "4"}
SELF = "https://api.kajabi.com/v1/customers/1/relationships/offers"


def entries_of(data: Any) -> list[Any]:
    if data is None:
        return []
    return [*data] if isinstance(data, list) else [data]


def relation(value: Any) -> Relationship:
    return read_relationships(json.dumps({"offers": value}).encode())["offers"]


def test_keeps_five_answers_apart() -> None:
    """Row 33: missing, null itself, without data, empty to-one and empty to-many are five states, never merged."""
    relations = read_relationships(
        json.dumps(
            {"null": None, "unstated": {"links": {"self": SELF}}, "one": {"data": None}, "many": {"data": []}}
        ).encode()
    )
    states = [relations.get(name, MISSING).state for name in ("missing", "null", "unstated", "one", "many")]
    assert states == [
        LinkageState.MISSING,
        LinkageState.NULL,
        LinkageState.UNSTATED,
        LinkageState.TO_ONE,
        LinkageState.TO_MANY,
    ]
    assert [relations.get(name, MISSING).is_stated for name in ("missing", "null", "unstated", "one", "many")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_reads_one_identifier() -> None:
    """Row 34: an object is a to-one relation with that identifier."""
    assert relation({"data": OFFER}) == Relationship(LinkageState.TO_ONE, (Identifier("offers", "4"),))


def test_reads_many_identifiers_in_their_order() -> None:
    """Row 37: the order of linkage is kept, though it means nothing."""
    found = relation({"data": [{"type": "offers", "id": each} for each in ("9", "2", "7")]})
    assert found.state is LinkageState.TO_MANY
    assert found.identifiers == tuple(Identifier("offers", each) for each in ("9", "2", "7"))


def test_finds_data_inside_links() -> None:
    """Contacts are documented with ``data`` inside ``links``: it is the linkage all the same."""
    found = relation({"links": {"data": [OFFER], "self": SELF}})
    assert found == Relationship(LinkageState.TO_MANY, (Identifier("offers", "4"),), SELF)


def test_prefers_data_in_its_place() -> None:
    """Data beside links counts, whatever else stands inside them."""
    assert relation({"data": None, "links": {"data": [OFFER]}}).state is LinkageState.TO_ONE


@pytest.mark.parametrize("further", [{}, {"meta": {"count": 3}}])
def test_keeps_both_links(further: dict[str, Any]) -> None:
    """A relation without data has the links of its linkage and of the related resources."""
    found = relation({"links": {"self": SELF, "related": "/v1/offers"}, **further})
    assert found == Relationship(LinkageState.UNSTATED, (), SELF, "/v1/offers")


@pytest.mark.parametrize("further", [{}, {"meta": {"count": 3}}])
@pytest.mark.parametrize(
    ("data", "state", "identifiers"),
    [
        ([], LinkageState.TO_MANY, ()),
        ([OFFER, OFFER], LinkageState.TO_MANY, (Identifier("offers", "4"),) * 2),
        (None, LinkageState.TO_ONE, ()),
        (OFFER, LinkageState.TO_ONE, (Identifier("offers", "4"),)),
    ],
)
def test_keeps_both_links_beside_data(
    data: Any, state: LinkageState, identifiers: tuple[Identifier, ...], further: dict[str, Any]
) -> None:
    """Whatever the linkage is, and whether or not the relation has members beyond the documented ones."""
    found = relation({"data": data, "links": {"self": SELF, "related": "/v1/offers"}, **further})
    assert found == Relationship(state, identifiers, SELF, "/v1/offers")
    assert relation({"data": data, **further}) == Relationship(state, identifiers)


def test_ignores_pagination_of_the_linkage() -> None:
    """Row 38: page links inside a relation page the linkage; they are not taken for the related resources."""
    found = relation({"data": [OFFER], "links": {"next": "/x", "first": "/y"}})
    assert (found.self_link, found.related_link) == (None, None)


@pytest.mark.parametrize("odd", [[], "text", 5, True, 1.5])
def test_knows_nothing_of_a_relation_of_another_shape(odd: Any) -> None:
    """Row 32: a relation that is no object is as good as missing; it is never an error."""
    assert relation(odd) == MISSING


@pytest.mark.parametrize(
    "members", [{}, {"meta": {"count": 3}}, {"unknown": 1}, {"links": None}, {"links": []}, {"links": "x"}]
)
def test_takes_a_relation_that_says_nothing_for_unstated(members: dict[str, Any]) -> None:
    """Rows 17 and 32: the empty object, meta alone and unknown members leave the linkage open."""
    assert relation(members) == Relationship(LinkageState.UNSTATED)


@pytest.mark.parametrize(
    "data",
    [
        "4",
        4,
        True,
        {},
        {"type": "offers"},
        {"id": "4"},
        {"type": "offers", "id": None},
        {"type": "offers", "id": True},
        {"type": "offers", "id": 1.0},
        {"type": "offers", "id": ""},
        {"type": "", "id": "4"},
        {"type": 3, "id": "4"},
        {"type": "offers", "lid": "a"},
        [OFFER, None],
        [OFFER, "4"],
        [[OFFER]],
    ],
)
def test_leaves_linkage_it_cannot_read_open(data: Any) -> None:
    """Row 35: linkage with one identifier that is none is not half known but unknown, so nothing is left out."""
    assert identifiers_of(data) is None
    assert relation({"data": data, "links": {"self": SELF}}) == Relationship(LinkageState.UNSTATED, (), SELF)


def test_takes_whole_numbers_for_ids() -> None:
    """Row 22: an integer id in linkage is the id that its digits spell."""
    assert identifiers_of({"type": "offers", "id": 2150966111}) == (Identifier("offers", "2150966111"),)


def test_accepts_meta_on_an_identifier() -> None:
    """Row 36: an identifier with meta names the same resource as one without."""
    assert identifiers_of([{**OFFER, "meta": {"role": "x"}}]) == (Identifier("offers", "4"),)


def test_repeats_what_the_server_repeats() -> None:
    """Linkage that names a resource twice stays as it came."""
    assert identifiers_of([OFFER, OFFER]) == (Identifier("offers", "4"),) * 2


def test_makes_a_reference_of_linkage_that_was_not_included() -> None:
    """Row 48: an identifier needs no included resource to be known, and unknown types are fine."""
    assert relation({"data": {"type": "unheard_of", "id": "x"}}).identifiers == (Identifier("unheard_of", "x"),)


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"x"', b"5", b"{", b'{"a": "\xff"}', b"", b"[" * 100_000])
def test_reads_no_relations_if_there_are_none(raw: bytes) -> None:
    """A ``relationships`` member of another shape, or one that cannot be read, holds no relations."""
    assert read_relationships(raw) == {}


def test_relations_of_any_depth_end_no_process() -> None:
    """Not even if the program has raised the recursion limit."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        assert read_relationships(b'{"offers": ' + b"[" * 200_000 + b"]" * 200_000 + b"}") == {}
        assert read_relationships(b'{"offers": {"data": null}}') == {"offers": Relationship(LinkageState.TO_ONE)}
    finally:
        sys.setrecursionlimit(before)


def test_reads_a_link_that_is_text() -> None:
    """Row 49: a link may be a string."""
    assert link_of({"self": SELF}, "self") == SELF


def test_reads_a_link_object() -> None:
    """Rows 49 to 51: a link may be an object with ``href``, and other members."""
    link: dict[str, Any] = {
        "href": SELF,
        "rel": "next",
        "title": 5,
        "type": None,
        "hreflang": ["en", "de"],
        "meta": {},
        "describedby": {},
    }
    assert link_of({"self": link}, "self") == SELF
    assert relation({"links": {"self": link}}).self_link == SELF


@pytest.mark.parametrize("links", [{}, {"self": None}, {"self": ""}, None, [], "text", 5])
def test_takes_null_and_absent_and_empty_links_for_none(links: Any) -> None:
    """Row 53: a link that is absent, null or empty (as in hook samples) means that there is none."""
    assert link_of(links, "self") is None


@pytest.mark.parametrize("link", [5, True, [], [SELF], {}, {"href": None}, {"href": 5}, {"href": ""}, {"url": SELF}])
def test_takes_a_link_of_another_shape_for_none(link: Any) -> None:
    """Row 50: a link object without a string ``href`` leads nowhere; it is never an error."""
    assert link_of({"self": link}, "self") is None


@given(json_values)
def test_reads_any_json_as_a_relation(value: Any) -> None:
    """Any JSON value is read as one of the five states."""
    found = relation(value)
    assert found.is_stated or not found.identifiers


@given(linkages)
def test_reads_any_linkage_whole_or_not_at_all(data: Any) -> None:
    """Linkage is one identifier for each entry, or None."""
    found = identifiers_of(data)
    if found is not None:
        assert len(found) == len(entries_of(data))
        assert all(isinstance(each.id, str) and each.id and each.type for each in found)


@given(document_bodies)
def test_never_raises_for_any_text(body: bytes) -> None:
    """Text of any kind is read as relations, or as none."""
    assert isinstance(read_relationships(body), dict)


def ids_of_relations(raw: bytes) -> dict[str, list[str] | None]:
    return {name: relationship.ids for name, relationship in read_relationships(raw).items()}


def test_reads_ids_alone() -> None:
    """In the order of the linkage; None for a relation whose linkage is not known, wherever it came."""
    relations: dict[str, Any] = {
        "null": None,
        "unstated": {"links": {"self": SELF}},
        "nothing": {"data": None},
        "one": {"data": OFFER},
        "none": {"data": []},
        "many": {"data": [{"type": "offers", "id": "9"}, OFFER], "meta": {"total": 2}},
    }
    expected = {"null": None, "unstated": None, "nothing": [], "one": ["4"], "none": [], "many": ["9", "4"]}
    assert read_linked_ids(json.dumps(relations).encode()) == expected
    relations["in links"] = {"links": {"self": SELF, "data": [OFFER]}}
    relations["a number"] = {"data": {"type": "offers", "id": 5}}
    expected |= {"in links": ["4"], "a number": ["5"]}
    assert read_linked_ids(json.dumps(relations).encode()) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b'{"offers": {"data": [], "links": {"data": {"type": "offers", "id": "4"}}}}',
        b'{"offers": {"links": {"data": {"type": "offers", "id": "4"}}, "links": {}}}',
        b'{"offers": {"data": {"type": "offers", "id": "4"}, "data": null}}',
        b'{"offers": {"data": [{"type": "offers", "id": "4"}, {"type": "", "id": "5"}]}}',
        b'{"offers": {"data": [], "links": []}}',
        b"{%s}" % b",".join(b'"r%d": {"data": []}' % number for number in range(10_000)),
        b'{"offers": {"data": [], "meta": {"x": 1e400}}}',
        b'{"offers": {"data": [], "links": {"self": "\xff"}}}',
        b'{"offers": {"data": [], "meta": %s}}' % (b"[" * 101 + b"]" * 101),
        b'{"offers": {"data": {"type": "offers", "id": "4", "meta": %s}}}' % (b"[" * 101 + b"]" * 101),
        b'{"offers": {"data": [], "links": {"other": 1e400}}}',
    ],
    ids=[
        *("in links, too", "links again", "data again", "no type", "links are a list", "too many", "no number"),
        *("no UTF-8", "nested too deeply", "an identifier with such a meta", "no number in links"),
    ],
)
def test_ids_alone_are_those_of_the_whole_relations(raw: bytes) -> None:
    """Of odd relations, too."""
    assert read_linked_ids(raw) == ids_of_relations(raw)


@given(relationships)
def test_ids_alone_are_those_of_any_relations(relations: dict[str, Any]) -> None:
    """Whichever form they have."""
    raw = json.dumps(relations).encode()
    assert read_linked_ids(raw) == ids_of_relations(raw)


@given(document_bodies)
def test_ids_alone_are_those_of_any_text(body: bytes) -> None:
    """None, if it is no JSON."""
    assert read_linked_ids(body) == ids_of_relations(body)


def test_a_number_that_no_path_could_hold_is_no_id() -> None:
    """An id has at most 255 digits."""
    for number in (10**255 - 1, 1 - 10**255):
        assert identifiers_of({"type": "offers", "id": number}) == (Identifier("offers", str(number)),)
    for number in (10**255, -(10**255)):
        assert identifiers_of({"type": "offers", "id": number}) is None


@pytest.mark.parametrize(
    ("body", "identifiers"),
    [
        (b'{"data": [{"type": "offers", "id": "4"}]}', (Identifier("offers", "4"),)),
        (b'{"data": {"type": "contacts", "id": 7}}', (Identifier("contacts", "7"),)),
        (b'{"data": null}', ()),
        (b'{"data": [{"type": "offers"}]}', None),
        (b'{"DATA": []}', None),
        (b"[]", None),
    ],
)
def test_the_answer_of_a_relationship_endpoint_is_its_linkage(
    body: bytes, identifiers: tuple[Identifier, ...] | None
) -> None:
    """None for an answer without any, or with one that cannot be read whole."""
    assert read_linkage(body, context="GET /v1/customers/1/relationships/offers") == identifiers


def test_an_answer_of_a_relationship_endpoint_that_is_no_json_names_the_request() -> None:
    """As for every other answer."""
    with pytest.raises(DecodeError, match=r"GET /v1/customers/1/relationships/offers"):
        read_linkage(b"<html>", context="GET /v1/customers/1/relationships/offers")
