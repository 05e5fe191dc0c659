"""Whether what people hold answers a question: pure functions of records and a moment.

Access is the union of the offers that a customer holds, the products, and the purchases that are not over: either alone
misses people (observed). A product comes with each offer that contains it.

What the API lists as held because of a purchase ends with the purchase: an offer or a product of a purchase whose
planned end has come since it was read counts no more, whatever was listed before.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from kajabi_async.access.answer import State
from kajabi_async.access.holdings import ActivePurchase, Holdings
from kajabi_async.access.question import Question
from kajabi_async.plain import rfc3339

__all__ = ["Finding", "OfferContents", "judge"]

OfferContents = Mapping[str, "tuple[str, ...] | None"]
"""The products of offers by their ids; None for an offer that could not be read."""

_MOST_REASONS: Final = 3


@attrs.frozen
class Finding:
    """What records say."""

    state: State
    because: str
    person: str | None
    as_of: float
    """When the records were read; for a no since a planned end, that end."""
    unread: tuple[str, ...] = ()
    """Offers whose contents decide: until they are read, the state is unknown."""


def judge(question: Question, people: Sequence[Holdings], now: float, contents: OfferContents) -> Finding:
    """Return what *people*, who are one person, hold of what the *question* is about."""
    views = [_View(each, now, contents) for each in people]
    as_of = min((each.as_of for each in people), default=now)
    person = people[0].customer if people else None
    for view in views:
        reasons = list(dict.fromkeys(view.reasons(question)))
        if reasons:
            return Finding("allowed", _joined(reasons), view.holdings.customer, view.holdings.as_of)
    unread = tuple(dict.fromkeys(offer for view in views for offer in view.undecided_offers(question)))
    if unread:
        return Finding("unknown", f"the products of offer {unread[0]} are not known", person, as_of, unread)
    missing = [offer for view in views for offer in view.unreadable_offers(question)]
    if missing:
        return Finding("unknown", f"the products of offer {missing[0]} could not be read", person, as_of)
    if not all(each.is_complete for each in people):
        return Finding("unknown", "the purchases could not be read", person, as_of)
    ended = max((end for view in views for end in view.ends(question)), default=as_of)
    return Finding("denied", _nothing_of(question, people), person, max(as_of, ended))


def _joined(reasons: list[str]) -> str:
    more = f" and {len(reasons) - _MOST_REASONS} more" if len(reasons) > _MOST_REASONS else ""
    return "; ".join(reasons[:_MOST_REASONS]) + more


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
        self._listed = [offer for offer in holdings.offers if offer not in ended_offers]
        bought = (each.offer for each in self._active if each.offer is not None)
        self._offers = tuple(dict.fromkeys((*self._listed, *bought)))

    def reasons(self, question: Question) -> Iterable[str]:
        """Yield what gives access."""
        if question.is_any:
            yield from (f"holds offer {each}" for each in self._listed)
            yield from map(_of_purchase, self._active)
            yield from (f"holds product {each}" for each in self.holdings.products if self._is_listed(each))
            return
        for offer in question.offers:
            if offer in self._listed:
                yield f"holds offer {offer}"
            yield from (_of_purchase(each) for each in self._active if each.offer == offer)
        for product in question.products:
            yield from self._reasons_of_product(product)

    def _reasons_of_product(self, product: str) -> Iterable[str]:
        if product in self.holdings.products and self._is_listed(product):
            yield f"holds product {product}"
        yield from (
            f"product {product} comes with {_of_purchase(each)}" for each in self._active if product in each.products
        )
        for offer in self._offers:
            if product in (self._contents.get(offer) or ()):
                yield f"product {product} comes with offer {offer}"

    def undecided_offers(self, question: Question) -> list[str]:
        """Return the offers whose contents decide, if there is no reason yet."""
        listed = question.is_any or not set(question.products).isdisjoint(self.holdings.products)
        needed: list[str] = self._unclear_ends() if listed and self.holdings.products else []
        if question.products:
            needed += self._offers
        return [offer for offer in needed if offer not in self._contents]

    def unreadable_offers(self, question: Question) -> Iterable[str]:
        """Return the offers that might contain a product of the *question*, and could not be read."""
        if not question.products:
            return ()
        return [offer for offer in self._offers if offer in self._contents and self._contents[offer] is None]

    def ends(self, question: Question) -> Iterable[float]:
        """Yield the planned ends that took away what the *question* is about."""
        for each in self._ended:
            products = self._products_of(each)
            is_meant = question.is_any or each.offer in question.offers or not products.isdisjoint(question.products)
            if is_meant and each.ends_at is not None:
                yield each.ends_at

    def _unclear_ends(self) -> list[str]:
        return [each.offer for each in self._ended if each.offer is not None and not each.products]

    def _is_listed(self, product: str) -> bool:
        """Return whether a product that was listed as held is still held, as far as planned ends say."""
        if any(offer not in self._contents for offer in self._unclear_ends()):
            return False
        return all(product not in self._products_of(each) for each in self._ended)

    def _products_of(self, purchase: ActivePurchase) -> set[str]:
        with_offer = None if purchase.offer is None else self._contents.get(purchase.offer)
        return {*purchase.products, *(with_offer or ())}


def _of_purchase(purchase: ActivePurchase) -> str:
    of = "" if purchase.offer is None else f" of offer {purchase.offer}"
    return f"purchase {purchase.id}{of} is active{_until(purchase.ends_at)}"


def _until(moment: float | None) -> str:
    if moment is None:
        return ""
    try:
        return f" until {rfc3339(datetime.fromtimestamp(moment, UTC))}"
    except (ValueError, OverflowError, OSError):
        return ""
