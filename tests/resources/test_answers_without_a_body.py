"""Any 2xx is success, with or without a body; a verb then returns what is known."""

from typing import Any

import pytest

from kajabi_async import (
    Contact,
    FieldNotLoadedError,
    FormSubmission,
    NotFoundError,
    Purchase,
    UnprocessableEntityError,
)
from kajabi_async.errors import ErrorObject
from kajabi_async.exchange import Request
from kajabi_async.resources.account import Hooks
from kajabi_async.resources.commerce import Purchases
from kajabi_async.resources.forms import Forms
from kajabi_async.resources.people import ContactNotes, Contacts, Customers
from tests.sending import Canned, context, linkage, resource

EMPTY: list[Any] = [b"", b"  \n", {"meta": {"count": 1}}, {"data": None}, {"data": {}}, {"jsonapi": {"version": "1.1"}}]
TAGS = "/v1/contacts/1/relationships/tags"


def _answering(write: Any, read: Any = None) -> Canned:
    return Canned(lambda request: write if request.is_write else read)


@pytest.mark.parametrize("answer", EMPTY)
async def test_the_linkage_is_read_once_after_an_answer_without_one(answer: Any) -> None:
    """After adding and removing, one more request reads the whole linkage."""
    send = _answering(answer, linkage("contact_tags", "2", "3"))
    contacts = Contacts(context(send))
    assert await contacts.add_tags("1", ["2"]) == ("2", "3")
    assert await contacts.remove_tags("1", ["9"]) == ("2", "3")
    assert [request.method for request in send.asked] == ["POST", "GET", "DELETE", "GET"]


@pytest.mark.parametrize("answer", EMPTY)
async def test_what_was_set_is_known_without_reading(answer: Any) -> None:
    """Replacing leaves exactly what was sent."""
    send = _answering(answer)
    assert await Contacts(context(send)).replace_offers("1", ["7", 7, "8"]) == ("7", "8")
    assert await Customers(context(send)).replace_offers("1", []) == ()
    assert [request.method for request in send.asked] == ["PATCH", "PATCH"]


async def test_a_write_that_succeeded_does_not_fail_because_its_outcome_cannot_be_read() -> None:
    """What is certain is returned: the ids added; none after a removal."""
    send = _answering(b"", NotFoundError(status=404, method="GET", path=TAGS))
    contacts = Contacts(context(send))
    assert await contacts.grant_offers("1", ["7"], send_customer_welcome_email=False) == ("7",)
    assert await contacts.revoke_offers("1", ["7"]) == ()


@pytest.mark.parametrize("answer", EMPTY)
async def test_an_update_returns_what_it_sent(answer: Any) -> None:
    """Other attributes are not loaded: reading one raises."""
    contact = await Contacts(context(_answering(answer))).update("1", name="Ada", custom_fields={"custom_1": None})
    assert isinstance(contact, Contact)
    assert (contact.id, contact.name, contact.custom_fields) == ("1", "Ada", {"custom_1": None})
    with pytest.raises(FieldNotLoadedError):
        _ = contact.email


@pytest.mark.parametrize("answer", EMPTY)
async def test_what_was_created_has_no_id_until_it_is_looked_up(answer: Any) -> None:
    """The API accepted it without stating its id."""
    contact = await Contacts(context(_answering(answer), site_id="9")).create(name="Ada", email="ada@example.com")
    assert contact.email == "ada@example.com"
    with pytest.raises(FieldNotLoadedError, match=r"^this Contact has no id: .*look it up"):
        _ = contact.id
    assert "Ada" in repr(contact)
    submission = await Forms(context(_answering(answer))).submit("5", email="ada@example.com")
    assert isinstance(submission, FormSubmission)
    assert submission.email == "ada@example.com"
    note = await ContactNotes(context(_answering(answer))).create(contact_id="1", body="Called")
    assert note.body == "Called"


@pytest.mark.parametrize("verb", ["deactivate", "reactivate", "cancel_subscription"])
async def test_a_verb_without_a_body_returns_the_purchase_by_its_id(verb: str) -> None:
    """Nothing else was sent that could be returned."""
    purchase = await getattr(Purchases(context(_answering(b""))), verb)("4")
    assert isinstance(purchase, Purchase)
    assert purchase.id == "4"


async def test_a_hook_whose_id_was_not_said_is_found_in_the_list() -> None:
    """``ensure`` lists again after creating, and reports what it created."""
    listed: list[dict[str, Any]] = []

    def respond(request: Request) -> Any:
        if request.is_write:
            attributes = {"event": "purchase", "target_url": "https://example.com/hook"}
            listed.append(resource("hooks", "3", attributes=attributes))
            return b""
        return {"data": list(listed), "links": {}}

    ensured = await Hooks(context(Canned(respond))).ensure("https://example.com/hook", ["purchase"], site_id="9")
    assert [hook.id for hook in ensured.created] == ["3"]
    assert ensured.kept == ()


def _already() -> UnprocessableEntityError:
    errors = (ErrorObject(title="Unprocessable Content", detail="Tag has already been added"),)
    return UnprocessableEntityError(status=422, method="POST", path=TAGS, errors=errors)


async def test_already_is_success_if_the_state_is_as_requested() -> None:
    """With ``verify=True`` the state decides, not the error."""
    contacts = Contacts(context(_answering(_already(), linkage("contact_tags", "2", "3"))))
    assert await contacts.add_tags("1", ["2"], verify=True) == ("2", "3")
    with pytest.raises(UnprocessableEntityError, match="already been added"):
        await contacts.add_tags("1", ["2", "4"], verify=True)
    with pytest.raises(UnprocessableEntityError, match="already been added"):
        await contacts.add_tags("1", ["2"])


async def test_a_refusal_stands_if_the_state_cannot_be_read() -> None:
    """The error of the write is raised, not that of the read."""
    unreadable = NotFoundError(status=404, method="GET", path=TAGS)
    with pytest.raises(UnprocessableEntityError, match="already been added"):
        await Contacts(context(_answering(_already(), unreadable))).add_tags("1", ["2"], verify=True)
