"""The outcome of one email: found, missing, ambiguous or failed, as an object and as plain data."""

import json
from typing import Any

from kajabi_async import AmbiguousMatchError, EmailFailed, EmailFound, Failed, Found, InvalidEmailError, KajabiError
from kajabi_async.fetching.email_outcomes import Matches, ambiguous, email_outcome
from kajabi_async.models import Contact, Customer
from tests.models.building import build
from tests.sending import linkage

ADA = "Ada@example.com"


def _contact(number: str) -> Contact:
    return build(Contact, {"email": "ada@example.com"}, id=number)


def test_one_match_is_found() -> None:
    """Under the names of both resources, and with the email as it was given."""
    match = _contact("1")
    outcome = email_outcome(ADA, Found(ADA.lower(), Matches((match,))))
    assert isinstance(outcome, EmailFound)
    assert (outcome.email, outcome.found, outcome.missing, outcome.ambiguous) == (ADA, True, False, False)
    assert outcome.contact is outcome.resource is outcome.customer is match
    assert (outcome.error, outcome.candidates) == (None, ())


def test_no_match_is_missing_and_proven_by_the_whole_list() -> None:
    """A search proves nothing."""
    for is_proven in (False, True):
        outcome = email_outcome(ADA, Found(ADA, Matches((), is_proven=is_proven)))
        assert isinstance(outcome, EmailFailed)
        assert (outcome.email, outcome.missing, outcome.proven, outcome.error) == (ADA, True, is_proven, None)
        assert outcome.resource is outcome.customer is outcome.contact is None


def test_several_matches_are_ambiguous() -> None:
    """All are candidates, and the error names their ids."""
    rows = (_contact("1"), _contact("2"))
    outcome = email_outcome(ADA, Found(ADA.lower(), Matches(rows)))
    assert outcome.email == ADA
    assert (outcome.found, outcome.missing, outcome.ambiguous, outcome.candidates) == (False, False, True, rows)
    assert isinstance(outcome.error, AmbiguousMatchError)
    assert str(outcome.error) == str(ambiguous(rows))
    assert "ids 1, 2" in str(outcome.error)


def test_a_failure_is_neither_missing_nor_ambiguous() -> None:
    """Its error says why."""
    error = InvalidEmailError("no")
    outcome = email_outcome("X", Failed("x", error))
    assert (outcome.email, outcome.error) == ("X", error)
    assert (outcome.found, outcome.missing, outcome.ambiguous) == (False, False, False)


def test_outcomes_are_plain_data_on_request() -> None:
    """With the resource under its own name, relations included; ``json.dumps`` takes it."""
    linked = {"offers": linkage("offers", "7")}
    ada = build(Customer, {"name": "Ada", "email": "ada@example.com"}, id="5", relationships=linked)
    found = EmailFound(ADA, ada)
    assert ada.to_dict() != ada.to_dict(relations=False)
    assert found.to_dict() == {"email": ADA, "found": True, "customer": ada.to_dict()}
    assert found.to_dict(relations=False)["customer"] == ada.to_dict(relations=False)
    assert EmailFailed(ADA, candidates=(ada,)).to_dict()["candidates"] == [ada.to_dict()]
    both = EmailFailed(ADA, ambiguous([_contact("1"), _contact("2")]), candidates=(_contact("1"), _contact("2")))
    members: dict[str, Any] = json.loads(json.dumps(both.to_dict(relations=False)))
    assert [each["id"] for each in members.pop("candidates")] == ["1", "2"]
    assert members == {"email": ADA, "found": False, "missing": False, "proven": False, "error": str(both.error)}
    missing: EmailFailed[Contact] = EmailFailed(ADA, proven=True)
    assert missing.to_dict() == {
        "email": ADA,
        "found": False,
        "missing": True,
        "proven": True,
        "candidates": [],
        "error": None,
    }


def test_a_missing_email_shows_that_it_is_missing() -> None:
    """In place of an error that is None; what failed, or has several candidates, shows those."""
    missing: EmailFailed[Contact] = EmailFailed(ADA, proven=True)
    assert repr(missing) == f"EmailFailed(email={ADA!r}, missing=True, proven=True)"
    failed: EmailFailed[Contact] = EmailFailed(ADA, error := KajabiError("no luck"))
    assert repr(failed) == f"EmailFailed(email={ADA!r}, error={error!r})"
    both = EmailFailed(ADA, error, candidates=(_contact("1"),))
    assert repr(both).endswith(f"candidates=({_contact('1')!r},))")
