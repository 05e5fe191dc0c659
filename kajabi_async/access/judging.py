"""From what is known of a person to an answer, and whether that may be returned as it is: pure functions.

`decide` is the way in; `judge` says what records answer to a question at a moment.

Access is the union of the offers that a customer holds, the products, and the purchases that are not over: either alone
misses people (observed). A product comes with each offer that contains it.

A purchase with a planned end counts until that end. What the customer listed besides may have been listed because of
that purchase, or been granted apart from it: after the end only a new reading can tell, so it proves nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal

import attrs

from kajabi_async.access.answer import Access, State
from kajabi_async.access.gate_options import Settings
from kajabi_async.access.holdings import ActivePurchase, Holdings, Identity
from kajabi_async.access.question import Question
from kajabi_async.errors import KajabiError
from kajabi_async.plain import rfc3339

__all__ = ["Decision", "Known", "Verdict", "decide", "judge"]

OfferContents = Mapping[str, "tuple[str, ...] | None"]
"""The products of offers by their ids; None for an offer that could not be read."""

Age = Literal["fresh", "stale", "too old"]
"""Whether an answer is returned as it is, returned while it is refreshed, or not returned."""

_NEVER: Final = float("-inf")
"""The moment of what is not known."""
_MOST_REASONS: Final = 3


@attrs.frozen
class Known:
    """What is known of one person."""

    mark: str
    """The valid mark of the name by which the person was checked."""
    people: tuple[Holdings, ...] = ()
    """The customers that are this person."""
    identity: Identity | None = None
    """How the customers were found, if the person was checked by email."""
    is_whole: bool = False
    """Whether all customers of the person are among `people`."""
    contents: OfferContents = attrs.field(factory=dict[str, "tuple[str, ...] | None"])
    """The products of offers, as far as the question needed them."""
    contents_as_of: float = float("inf")
    """When the oldest of them was read."""
    failure: KajabiError | None = None
    """Why a part of it is missing."""


@attrs.frozen
class Decision:
    """An answer, and what it is worth."""

    access: Access
    age: Age
    unread: tuple[str, ...] = ()
    """The offers whose contents it lacks."""


@attrs.frozen
class Verdict:
    """What records say."""

    state: State
    because: str
    person: str | None
    as_of: float
    """When the records were read; for a no since a planned end, that end."""
    unread: tuple[str, ...] = ()
    """Offers whose contents decide: until they are read, the state is unknown."""


def decide(known: Known, question: Question, now: float, settings: Settings) -> Decision:
    """Return the answer to *question* at *now*, in seconds since the epoch.

    A yes ages from the reading of what it stands on. A no does so too, and must hold for every customer; after a
    planned end it ages from that end.
    """
    finding = _found(known, question, now, settings.fresh)
    if finding.state == "allowed":
        fresh, stale = settings.fresh, settings.stale
    else:
        fresh = stale = settings.fresh_denied
    elapsed = now - finding.as_of
    age: Age = "fresh" if elapsed <= fresh else "stale" if elapsed <= stale else "too old"
    as_of = None if finding.as_of == _NEVER else datetime.fromtimestamp(finding.as_of, UTC)
    access = Access(state=finding.state, because=finding.because, as_of=as_of, person=finding.person)
    return Decision(access, age, finding.unread)


def _found(known: Known, question: Question, now: float, fresh: float) -> Verdict:
    if not known.people:
        return _not_found(known.identity)
    finding = judge(question, known.people, now, known.contents)
    if finding.state == "allowed":
        return attrs.evolve(finding, as_of=min(finding.as_of, known.contents_as_of))
    if not known.is_whole:
        return Verdict("unknown", "not all customers with this email could be read", finding.person, _NEVER)
    if finding.state == "denied" and known.contents_as_of < now - fresh:
        # A product may have been added to an offer since.
        because = "what the offers contain may have changed"
        return attrs.evolve(finding, state="unknown", because=because, unread=tuple(known.contents))
    read_at = min(each.as_of for each in known.people)
    searched_at = read_at if known.identity is None else known.identity.as_of
    return attrs.evolve(finding, as_of=min(finding.as_of, searched_at)) if finding.as_of <= read_at else finding


def _not_found(identity: Identity | None) -> Verdict:
    if identity is None or identity.customers:
        return Verdict("unknown", "nothing is known", None, _NEVER)
    if identity.is_proven:
        return Verdict("denied", "no customer has this email", None, identity.as_of)
    because = "the search found no customer with this email, which is no proof that there is none"
    return Verdict("unknown", because, None, identity.as_of)


def judge(question: Question, people: Sequence[Holdings], now: float, contents: OfferContents) -> Verdict:
    """Return what *people*, one or more customers that are one person, hold of what the *question* is about."""
    views = [_View(each, now, contents) for each in people]
    as_of, person = min(each.as_of for each in people), people[0].customer
    for view in views:
        reasons = list(islice(view.reasons(question), _MOST_REASONS + 1))
        if reasons:
            return Verdict("allowed", _joined(reasons), view.holdings.customer, view.holdings.as_of)
    doubts = [doubt for view in views for doubt in view.doubts(question)]
    if doubts:
        return Verdict("unknown", doubts[0], person, _NEVER)
    unread = tuple(dict.fromkeys(offer for view in views for offer in view.undecided_offers(question)))
    if unread:
        return Verdict("unknown", f"the products of offer {unread[0]} are not known", person, as_of, unread)
    missing = [offer for view in views for offer in view.unreadable_offers(question)]
    if missing:
        return Verdict("unknown", f"the products of offer {missing[0]} could not be read", person, as_of)
    if not all(each.is_complete for each in people):
        return Verdict("unknown", "the purchases could not be read", person, as_of)
    ended = max((end for view in views for end in view.ends(question)), default=as_of)
    return Verdict("denied", _nothing_of(question, people), person, max(as_of, ended))


def _joined(reasons: list[str]) -> str:
    more = " and more" if len(reasons) > _MOST_REASONS else ""
    return "; ".join(dict.fromkeys(reasons[:_MOST_REASONS])) + more


def _nothing_of(question: Question, people: Sequence[Holdings]) -> str:
    if len(people) == 1 and not people[0].exists:
        return f"there is no customer {people[0].customer}"
    return f"holds nothing of {question}" if question.is_any else f"does not hold {question}"


class _View:
    """What one customer holds at one moment."""

    def __init__(self, holdings: Holdings, now: float, contents: OfferContents) -> None:
        self.holdings = holdings
        self._contents = contents
        self._active = [each for each in holdings.purchases if not each.is_over(now)]
        self._ended = [each for each in holdings.purchases if each.is_over(now)]
        ended_offers = {each.offer for each in self._ended}
        self._offers = [offer for offer in holdings.offers if offer not in ended_offers]
        self._products = [product for product in holdings.products if not any(map(_leads_to(product), self._ended))]
        bought = (each.offer for each in self._active if each.offer is not None)
        self._all_offers = tuple(dict.fromkeys((*self._offers, *bought)))

    def reasons(self, question: Question) -> Iterable[str]:
        """Yield what gives access."""
        if question.is_any:
            yield from (f"holds offer {each}" for each in self._offers)
            yield from map(_of_purchase, self._active)
            yield from (f"holds product {each}" for each in self._products)
            return
        for offer in question.offers:
            if offer in self._offers:
                yield f"holds offer {offer}"
            yield from (_of_purchase(each) for each in self._active if each.offer == offer)
        for product in question.products:
            yield from self._reasons_of_product(product)

    def _reasons_of_product(self, product: str) -> Iterable[str]:
        if product in self._products:
            yield f"holds product {product}"
        yield from (
            f"product {product} comes with {_named(each)}, which is active{_until(each.ends_at)}"
            for each in self._active
            if product in each.products
        )
        for offer in self._all_offers:
            if product in (self._contents.get(offer) or ()):
                yield f"product {product} comes with offer {offer}"

    def doubts(self, question: Question) -> Iterable[str]:
        """Yield what was listed, and may have ended with a purchase."""
        for offer in self.holdings.offers:
            # With the offer, its products are in doubt.
            if offer not in self._offers and (question.is_any or question.products or offer in question.offers):
                yield f"a purchase of offer {offer} has ended since the offer was listed"
        for product in self.holdings.products:
            if product not in self._products and (question.is_any or product in question.products):
                yield f"a purchase of product {product} has ended since the product was listed"

    def undecided_offers(self, question: Question) -> list[str]:
        """Return the offers whose contents decide, if there is no reason yet."""
        return [each for each in self._all_offers if each not in self._contents] if question.products else []

    def unreadable_offers(self, question: Question) -> list[str]:
        """Return the offers that might contain a product of the *question*, and could not be read."""
        return [each for each in self._all_offers if self._contents[each] is None] if question.products else []

    def ends(self, question: Question) -> Iterable[float]:
        """Yield the planned ends that may have taken away what the *question* is about."""
        for each in self._ended:
            is_meant = question.is_any or question.products or each.offer in question.offers
            if is_meant and each.ends_at is not None:
                yield each.ends_at


def _leads_to(product: str) -> Callable[[ActivePurchase], bool]:
    """Return whether *product* may have come with a purchase, which may not say."""
    return lambda purchase: not purchase.products or product in purchase.products


def _of_purchase(purchase: ActivePurchase) -> str:
    return f"{_named(purchase)} is active{_until(purchase.ends_at)}"


def _named(purchase: ActivePurchase) -> str:
    return f"purchase {purchase.id}" + ("" if purchase.offer is None else f" of offer {purchase.offer}")


def _until(moment: float | None) -> str:
    if moment is None:
        return ""
    try:
        return f" until {rfc3339(datetime.fromtimestamp(moment, UTC))}"
    except (ValueError, OverflowError, OSError):
        return ""
