import json
from typing import Any

import pytest
from hypothesis import given

from kajabi_async.errors import AnswerTooLargeError, DecodeError, KajabiError
from kajabi_async.jsonapi.codec import ResourceObject, decode
from kajabi_async.jsonapi.document import MANY_BYTES, Document, MalformedRow, Row, read_rows
from kajabi_async.jsonapi.linkage import read_relationships
from tests.jsonapi.outcomes import outcome_of
from tests.jsonapi.strategies import document_bodies

CONTEXT = "GET /v1/customers"
UNDECODABLE = b'{"type":"customers","id":1e999}'
"""The decoder refuses the whole document for its number."""


def read(**members: Any) -> Document:
    return Document.from_bytes(json.dumps(members).encode(), context=CONTEXT)


def customer(id: Any = "1", **members: Any) -> dict[str, Any]:
    return {"type": "customers", "id": id, **members}


def included_in(document: Document) -> tuple[Row, ...]:
    return tuple(row for part in document.included for row in part.rows())


def resource(row: Row | tuple[Row, ...] | None) -> ResourceObject:
    assert isinstance(row, ResourceObject)
    return row


def malformed(row: Row | tuple[Row, ...] | None) -> DecodeError:
    assert isinstance(row, MalformedRow)
    assert row.error.context == CONTEXT
    return row.error


def test_reads_one_resource_object() -> None:
    """Row 15: data may be one object."""
    row = read(data=customer()).one(context=CONTEXT)
    assert row is not None
    assert (row.type, row.id) == ("customers", "1")


def test_reads_an_array_in_its_order() -> None:
    """Row 15: data may be an array; its order is the server's."""
    rows = read(data=[customer("2"), customer("1")]).many(context=CONTEXT)
    assert [resource(row).id for row in rows] == ["2", "1"]


def test_reads_an_empty_array_as_no_rows() -> None:
    """Row 15: an empty array is an empty collection."""
    assert read(data=[]).many(context=CONTEXT) == ()


def test_reads_null_as_no_resource() -> None:
    """Row 16: a 200 with null says that there is no resource; it is neither a missing document nor an error."""
    assert read(data=None).one(context=CONTEXT) is None


def test_takes_an_array_of_one_for_the_resource() -> None:
    """A show that is printed as an array of one (forms with sparse fields) is that one resource."""
    row = read(data=[customer("7")]).one(context=CONTEXT)
    assert row is not None
    assert row.id == "7"


@pytest.mark.parametrize("count", [0, 2])
def test_refuses_any_other_array_for_one_resource(count: int) -> None:
    """None and several are not one: picking the first would be acting on a stranger's record."""
    with pytest.raises(DecodeError, match=rf"^{CONTEXT}: one resource object was expected, {count} came at data$"):
        read(data=[customer(str(index)) for index in range(count)]).one(context=CONTEXT)


@pytest.mark.parametrize("data", [None, customer()])
def test_refuses_one_resource_for_an_array(data: Any) -> None:
    """Row 15: a collection is always an array, even of one."""
    with pytest.raises(DecodeError, match=rf"^{CONTEXT}: an array of resource objects was expected at data$"):
        read(data=data).many(context=CONTEXT)


@pytest.mark.parametrize("body", [b"{}", b'{"meta": {"total": 3}}', b'{"included": []}'])
def test_refuses_a_document_without_data(body: bytes) -> None:
    """Row 12: a document without data cannot be read if resources were requested; it is not the same as null."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: a document without data$"):
        Document.from_bytes(body, context=CONTEXT)


@pytest.mark.parametrize("included", [[], [5]])
def test_reports_the_errors_that_came_instead_of_data(included: list[Any]) -> None:
    """Row 13: errors under a success status are reported, not swallowed."""
    with pytest.raises(DecodeError, match=r"without data, with errors: Gone: No such site; Look elsewhere$"):
        read(errors=[{"title": "Gone", "detail": "No such site"}, {"title": "Look elsewhere"}], included=included)


def test_reports_the_first_ten_of_many_errors() -> None:
    """The rest says no more."""
    with pytest.raises(DecodeError) as caught:
        read(errors=[{"title": f"Error {number}"} for number in range(11)])
    listed = "; ".join(f"Error {number}" for number in range(10))
    assert caught.value.problem == f"a document without data, with errors: {listed}"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"", b"<html></html>", b'{"data": {}'])
def test_refuses_a_body_that_is_no_document(body: bytes) -> None:
    """Rows 9 and 11: a 2xx answer that is HTML, empty, cut off or no object is DecodeError naming the request."""
    with pytest.raises(DecodeError, match=r"^GET /v1/customers: "):
        Document.from_bytes(body, context=CONTEXT)


def test_ignores_members_it_does_not_know() -> None:
    """Rows 17 to 19: unknown members, @-members and a missing or odd ``jsonapi`` are no error, on every level."""
    document = read(
        data=customer(unknown=1, **{"@id": "x"}, links={"self": None, "odd": 1}),
        jsonapi={"version": "v1.1", "ext": 5},
        records=[],
        **{"@context": {}},
    )
    assert resource(document.data).id == "1"


@pytest.mark.parametrize("data", [[], customer(), None, [5], 5])
def test_keeps_top_level_links_and_meta_as_they_came(data: Any) -> None:
    """Rows 20 and 21: meta is an object of anything, links keep every key, whatever they stand beside."""
    links = {"self": "a", "next": {"href": "b"}, "last": None, "records": 3}
    document = read(data=data, links=links, meta={"pagination": {"total": [1]}})
    assert document.links == links
    assert document.meta == {"pagination": {"total": [1]}}


@pytest.mark.parametrize("odd", [None, [], "text", 5, True])
@pytest.mark.parametrize("data", [[], [5]])
def test_takes_links_and_meta_of_another_shape_for_absent(odd: Any, data: list[Any]) -> None:
    """The rows are read beside an odd top-level member."""
    document = read(data=data, links=odd, meta=odd)
    assert (document.links, document.meta) == ({}, {})


@pytest.mark.parametrize(("wire", "id"), [(123, "123"), (0, "0"), (2**70, str(2**70))])
def test_takes_a_whole_number_for_an_id(wire: int, id: str) -> None:
    """Row 22: an integer id is converted, alone and in an array, and loses no digit."""
    assert resource(read(data=customer(wire)).data).id == id
    assert resource(read(data=[customer(wire)]).many(context=CONTEXT)[0]).id == id


@pytest.mark.parametrize("id", [None, True, 1.5, "", [], {"a": 1}])
@pytest.mark.parametrize("member", ["type", "id"])
def test_sets_a_row_without_identity_apart(member: str, id: Any) -> None:
    """Row 22: a row needs a type and an id; one without is malformed and says which member of which row."""
    odd = {**customer(), member: id}
    rows = read(data=[customer("1"), odd, customer("3")]).many(context=CONTEXT)
    if not (member == "type" and id == ""):
        assert malformed(rows[1]).path == f"data[1].{member}"
    assert [resource(row).id for row in (rows[0], rows[2])] == ["1", "3"]
    assert malformed(read(data=odd).data).path == f"data.{member}"


@pytest.mark.parametrize("odd", [None, 5, "text", [], [customer()], True])
def test_keeps_a_malformed_row_apart_in_a_good_page(odd: Any) -> None:
    """One row that is no object spoils neither its page nor its place: the others come in order."""
    rows = read(data=[customer("1"), odd, customer("3")], links={"next": "x"}).many(context=CONTEXT)
    assert [resource(row).id for row in (rows[0], rows[2])] == ["1", "3"]
    assert str(malformed(rows[1])) == "GET /v1/customers: not a resource object at data[1]"


def test_raises_a_malformed_row_only_if_it_is_the_requested_one() -> None:
    """Reading the document raises nothing; `one` raises what is wrong with it."""
    document = read(data=5)
    with pytest.raises(DecodeError, match=rf"^{CONTEXT}: not a resource object at data$"):
        document.one(context=CONTEXT)


@pytest.mark.parametrize("id", [None, ""])
def test_names_the_included_row_without_identity(id: Any) -> None:
    """The error has its place, also in a document that is well-formed otherwise."""
    (row,) = included_in(read(data=[], included=[{"type": "offers", "id": id}]))
    assert malformed(row).path == "included[0].id"


@pytest.mark.parametrize(("id", "problem"), [("", "got an empty one"), (True, "got bool"), (1.5, "got float")])
def test_says_what_came_in_the_place_of_an_id(id: Any, problem: str) -> None:
    """The message distinguishes an empty id from one of another type."""
    assert str(malformed(read(data=customer(id)).data)) == f"{CONTEXT}: id must be a string, {problem} at data.id"


def test_keeps_links_and_meta_beside_a_malformed_row() -> None:
    """The next link of a page is not lost with one of its rows."""
    document = read(data=[None], links={"next": "x"}, meta={"total": 3})
    assert (document.links, document.meta) == ({"next": "x"}, {"total": 3})


@pytest.mark.parametrize("data", [None, customer(), [customer("1"), 5]])
def test_keeps_a_malformed_included_row_apart(data: Any) -> None:
    """An odd included row leaves the primary data as it is, null among it, and the included rows beside it."""
    document = read(data=data, included=[{"type": "offers", "id": "4"}, None, {"type": "offers"}])
    assert resource(included_in(document)[0]).id == "4"
    assert malformed(included_in(document)[1]).path == "included[1]"
    assert malformed(included_in(document)[2]).path == "included[2].id"
    assert (document.data is None) is (data is None)


@pytest.mark.parametrize("included", [{}, "text", 5, True])
def test_takes_included_of_another_shape_for_one_malformed_row(included: Any) -> None:
    """An ``included`` that is no array costs the included resources, never the primary ones."""
    document = read(data=[customer()], included=included)
    assert [resource(row).id for row in document.many(context=CONTEXT)] == ["1"]
    assert str(malformed(included_in(document)[0])).endswith("an array of resource objects was expected at included")


@pytest.mark.parametrize("members", [{}, {"included": None}, {"included": []}])
def test_includes_nothing_if_nothing_came(members: dict[str, Any]) -> None:
    """Row 40: absent, null and empty included are all no resources."""
    assert included_in(read(data=[], **members)) == ()


def test_reads_a_document_whatever_white_space_it_is_set_in() -> None:
    """A printed document with a malformed row is the same document: an array, null and one resource among it."""
    spaced = b'{ "data" : \n [ 5 ] , "included" : [ 5 ] }'
    assert malformed(Document.from_bytes(spaced, context=CONTEXT).many(context=CONTEXT)[0]).path == "data[0]"
    spaced = b'{ "data" : \n null , "included" : [ 5 ] }'
    assert Document.from_bytes(spaced, context=CONTEXT).data is None
    spaced = b'{ "data" : \n { "type" : "customers", "id" : "1" } , "included" : [ 5 ] }'
    assert resource(Document.from_bytes(spaced, context=CONTEXT).data).id == "1"


def test_finds_included_that_was_put_inside_data() -> None:
    """Courses are documented with ``included`` inside ``data``: it is read after the one in its place."""
    document = read(data=customer(included=[{"type": "modules", "id": 5}]), included=[{"type": "offers", "id": "4"}])
    assert [(resource(row).type, resource(row).id) for row in included_in(document)] == [
        ("offers", "4"),
        ("modules", "5"),
    ]


@pytest.mark.parametrize("odd", [5, {}, [5]])
def test_survives_odd_included_inside_data(odd: Any) -> None:
    """The included member inside data may be anything: the resource is still read."""
    for included in ([], [None]):
        document = read(data=customer(included=odd), included=included)
        assert resource(document.data).id == "1"
        *beside, inside = included_in(document)
        assert malformed(inside).path.startswith("data.included")
        assert [malformed(row).path for row in beside] == [f"included[{at}]" for at in range(len(included))]


def test_keeps_absent_attributes_apart_from_null_ones() -> None:
    """Row 29: attributes stay as they came: absent is absent, null is null, nested values are whole (row 28)."""
    attributes = {"name": None, "socials": {"twitter": ["a", {"b": None}]}}
    row = resource(read(data=customer(attributes=attributes)).data)
    assert decode(row.attributes) == attributes
    assert bytes(resource(read(data=customer()).data).attributes) == b"{}"


def test_keeps_links_and_meta_of_a_resource() -> None:
    """Row 30: what a resource object says beside its attributes is kept word for word."""
    row = resource(read(data=customer(links={"contact": ""}, meta={"a": [1]})).data)
    assert json.loads(bytes(row.links)) == {"contact": ""}
    assert json.loads(bytes(row.meta)) == {"a": [1]}


def test_reads_resources_that_lead_in_circles() -> None:
    """Row 44: a resource that relates to itself, and two that relate to each other, are read without end or error."""
    circle = {"me": {"data": {"type": "customers", "id": "1"}}, "other": {"data": {"type": "customers", "id": "2"}}}
    document = read(
        data=customer("1", relationships=circle), included=[customer("2", relationships=circle) for _ in range(2)]
    )
    assert len(included_in(document)) == 2
    assert read_relationships(resource(document.data).relationships)["me"].identifiers[0].id == "1"


def test_takes_the_last_of_repeated_members() -> None:
    """A member that comes twice is not an error of its own; the last one counts."""
    document = Document.from_bytes(b'{"data": [], "data": {"type": "a", "id": "1", "id": "2"}}', context=CONTEXT)
    assert resource(document.data).id == "2"


@given(document_bodies)
def test_any_body_is_a_document_or_an_error_of_the_tree(body: bytes) -> None:
    """Random documents are read or refused with DecodeError; rows are resource objects or say what is wrong."""
    document = outcome_of(Document.from_bytes, body, context=CONTEXT)
    if isinstance(document, KajabiError):
        assert isinstance(document, DecodeError)
        assert document.context == CONTEXT
        return
    rows = document.data if isinstance(document.data, tuple) else (document.data,)
    for row in (*rows, *included_in(document)):
        if isinstance(row, ResourceObject):
            assert isinstance(row.id, str)
            assert row.id
            assert isinstance(read_relationships(row.relationships), dict)
        elif row is not None:
            assert row.error.path


@given(document_bodies)
def test_answers_one_or_many_or_raises_an_error_of_the_tree(body: bytes) -> None:
    """`one` and `many` of a random document return resources or raise an error of the tree."""
    document = outcome_of(Document.from_bytes, body, context=CONTEXT)
    if isinstance(document, KajabiError):
        return
    for ask in (document.one, document.many):
        outcome = outcome_of(ask, context=CONTEXT)
        assert isinstance(outcome, DecodeError) or not isinstance(outcome, KajabiError)


@pytest.mark.parametrize("row", [customer(), 0, {}, [], {"type": "customers", "id": 1}])
def test_refuses_more_rows_than_any_page_has(row: Any) -> None:
    """With one error for all; one row fewer is read, or malformed row by row."""
    assert len(read(data=[row] * 4000).many(context=CONTEXT)) == 4000
    with pytest.raises(AnswerTooLargeError, match=r"4001 resource objects, more than the 4000 .* 200000 .* at data$"):
        read(data=[row] * 4001)


def test_refuses_more_included_resources_than_the_limit_allows() -> None:
    """At once, and not when they are read; exactly, and as the limit of elements says."""
    rows = [{"type": "offers", "id": str(number)} for number in range(10_001)]
    for most_elements, number in ((200_000, 10_000), (200_020, 10_001), (20_000, 1000)):
        body = json.dumps({"data": customer(), "included": rows[:number]}).encode()
        (included,) = Document.from_bytes(body, context=CONTEXT, most_elements=most_elements).included
        assert len(included.rows()) == number
        with pytest.raises(AnswerTooLargeError, match=f"{number} resource objects, more than the .* at included$"):
            Document.from_bytes(body, context=CONTEXT, most_elements=most_elements - 20)


@pytest.mark.parametrize("junk", [0, {}, {"type": "offers"}, "", [[]]])
def test_ten_of_many_malformed_included_rows_are_reported(junk: Any) -> None:
    """The well-formed ones among them are all read."""
    rows = included_in(read(data=[customer()], included=[customer(), *[junk] * 5000, customer("2")]))
    assert (resource(rows[0]).id, resource(rows[-1]).id) == ("1", "2")
    assert [malformed(row).path.partition("].")[0].rstrip("]") for row in rows[1:-1]] == [
        f"included[{at}" for at in range(1, 11)
    ]


def test_included_objects_too_small_to_be_resources_are_not_limited_by_number() -> None:
    """They are left out, so they become nothing."""
    rows = included_in(read(data=[], included=[{}] * 20_000))
    assert [malformed(row).path for row in rows] == [f"included[{at}].type" for at in range(10)]


def test_an_array_of_rows_that_cannot_be_decoded_is_not_read_to_its_end() -> None:
    """A hundred are tried: what cannot be decoded takes longer than what can."""
    body = b'{"data":[],"included":[%s,{"type":"offers","id":"1"},%s,{"type":"offers","id":"2"}]}'
    junk = b",".join([b'{"id":1e999}'] * 99)
    rows = included_in(Document.from_bytes(body % (junk, junk), context=CONTEXT))
    assert [isinstance(row, MalformedRow) for row in rows] == [True] * 10 + [False]


@pytest.mark.parametrize("junk", [5, 1.5, True, None, "text", [[]], 10**30, {"type": 1}])
def test_reads_a_large_document_like_any_other(junk: Any) -> None:
    """Its rows, good and malformed, are in their places."""
    attributes = {"name": "x" * MANY_BYTES}
    body = json.dumps({"data": [customer("1", attributes=attributes), junk]}).encode()
    rows = Document.from_bytes(body, context=CONTEXT).many(context=CONTEXT)
    assert decode(resource(rows[0]).attributes) == attributes
    assert isinstance(rows[1], MalformedRow)


def test_refuses_a_large_document_with_a_number_that_cannot_be_decoded() -> None:
    """In a smaller one only its row is malformed."""
    body = b'{"data": [{"type": "a", "id": "1"}, 1e999], "zz": "%s"}'
    filled = MANY_BYTES - len(body % b"")
    assert len(Document.from_bytes(body % (b"x" * filled), context=CONTEXT).many(context=CONTEXT)) == 2
    with pytest.raises(DecodeError, match="out of range"):
        Document.from_bytes(body % (b"x" * (filled + 1)), context=CONTEXT)


def test_takes_a_number_that_is_too_long_for_no_id() -> None:
    """No path could hold it, and a program may have lowered the digits that Python prints."""
    for number in (10**600, 10**255, -(10**255)):
        assert malformed(read(data=customer(number)).data).path == "data.id"
    for number in (10**255 - 1, 1 - 10**255):
        assert resource(read(data=customer(number)).data).id == str(number)


def test_refuses_links_and_meta_that_are_nested_too_deeply() -> None:
    """If they were ignored, a list would silently end early."""
    deep = b'{"a":%s%s}' % (b"[" * 200, b"]" * 200)
    for data in (b'"data":[],', b'"data":[%s],' % UNDECODABLE, b'"data":null,', b""):
        for member in ("links", "meta") if data else ("errors",):
            with pytest.raises(DecodeError) as caught:
                Document.from_bytes(b'{%s"%s":%s}' % (data, member.encode(), deep), context=CONTEXT)
            assert str(caught.value) == f"{CONTEXT}: nested too deeply"


def test_reads_each_row_by_itself_if_one_cannot_be_decoded() -> None:
    """Each error has the place of its own row, and good rows stay good."""
    rows = [b'{"type":"customers","id":"1"}', UNDECODABLE, b"7", b'{"type":"customers"}']
    read_singly = Document.from_bytes(b'{"data":[%s]}' % b",".join(rows), context=CONTEXT).many(context=CONTEXT)
    assert resource(read_singly[0]).id == "1"
    errors = [malformed(row) for row in read_singly[1:]]
    assert [error.path for error in errors] == ["data[1]", "data[2]", "data[3].id"]
    assert [error.problem for error in errors[:2]] == ["not a resource object"] * 2


@pytest.mark.parametrize("data", [b"[%s]" % UNDECODABLE, UNDECODABLE])
def test_a_row_that_cannot_be_decoded_costs_nothing_of_the_rest(data: bytes) -> None:
    """What is included, links and meta are as in any document, and limited alike."""
    row = b'{"type":"offers","id":"%d"}'
    included = b",".join(row % number for number in range(1_001))
    body = b'{"data":%s,"included":[%s],"links":{"next":"x"},"meta":{"total":3}}' % (data, included)
    document = Document.from_bytes(body, context=CONTEXT, most_elements=20_020)
    assert [resource(row).id for row in included_in(document)] == [str(number) for number in range(1_001)]
    assert (document.links, document.meta) == ({"next": "x"}, {"total": 3})
    with pytest.raises(AnswerTooLargeError, match=r"1001 .* the 1000 .* 20000 elements") as caught:
        Document.from_bytes(body, context=CONTEXT, most_elements=20_000)
    assert (caught.value.path, caught.value.context) == ("included", CONTEXT)


def test_a_single_row_that_cannot_be_decoded_is_malformed() -> None:
    """Its error has the path of primary data."""
    error = malformed(Document.from_bytes(b'{"data":%s}' % UNDECODABLE, context=CONTEXT).data)
    assert (error.problem, error.path) == ("not a resource object", "data")


@pytest.mark.parametrize("row", [b"7", UNDECODABLE])
def test_rows_that_are_read_by_themselves_are_limited_like_others(row: bytes) -> None:
    """By the limit of elements that the answer was received under."""
    body = b'{"data":[%s]}' % b",".join([UNDECODABLE, *[row] * 1000])
    with pytest.raises(AnswerTooLargeError) as caught:
        Document.from_bytes(body, context=CONTEXT, most_elements=20_000)
    problem = "1001 resource objects, more than the 400 that a limit of 20000 elements allows"
    assert (caught.value.problem, caught.value.path, caught.value.context) == (problem, "data", CONTEXT)


def read_array(array: bytes, most_elements: int = 200_000) -> tuple[Row, ...]:
    return read_rows(array, place="payload.rows", context=CONTEXT, most_elements=most_elements)


@pytest.mark.parametrize("odd", [b"7", UNDECODABLE])
def test_a_bare_array_is_read_like_primary_data(odd: bytes) -> None:
    """Whether or not the decoder refuses one of its rows, and whatever white space is in front."""
    good, bad, nameless = read_array(b' [{"type":"customers","id":"1"},%s,{"type":"customers"}]' % odd)
    assert resource(good).id == "1"
    assert [malformed(row).path for row in (bad, nameless)] == ["payload.rows[1]", "payload.rows[2].id"]


@pytest.mark.parametrize("value", [b"{}", b"null", b'"["', b""])
def test_what_is_no_array_is_refused_in_its_place(value: bytes) -> None:
    """No row can be read from it."""
    with pytest.raises(DecodeError, match=f"^{CONTEXT}: "):
        read_array(b"[7,")
    with pytest.raises(DecodeError) as caught:
        read_array(value)
    assert caught.value.problem == "an array of resource objects was expected"
    assert (caught.value.path, caught.value.context) == ("payload.rows", CONTEXT)


@pytest.mark.parametrize("odd", [b"7", UNDECODABLE])
def test_a_bare_array_is_limited_like_primary_data(odd: bytes) -> None:
    """The error has its place and the limit."""
    array = b"[%s]" % b",".join([odd] * 401)
    assert len(read_array(array, 20_050)) == 401
    with pytest.raises(AnswerTooLargeError, match=r"401 .* 400 .* 20000 elements") as caught:
        read_array(array, 20_000)
    assert (caught.value.path, caught.value.context) == ("payload.rows", CONTEXT)


def test_a_large_bare_array_is_decoded_in_one_way_only() -> None:
    """One that cannot be decoded is refused; a smaller one has a malformed row."""
    array = b'[%s,{"type":"a","id":"1","attributes":{"a":"%s"}}]'
    filled = MANY_BYTES - len(array % (UNDECODABLE, b""))
    assert isinstance(read_array(array % (UNDECODABLE, b"x" * filled))[0], MalformedRow)
    with pytest.raises(DecodeError, match="out of range") as caught:
        read_array(array % (UNDECODABLE, b"x" * (filled + 1)))
    assert caught.value.context == CONTEXT
