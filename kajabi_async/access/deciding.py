"""From what is known to an answer, and whether it may be returned as it is: pure functions."""

from datetime import UTC, datetime
from typing import Literal

import attrs

from kajabi_async.access.answer import Access
from kajabi_async.access.gate_options import Settings
from kajabi_async.access.holdings import Identity
from kajabi_async.access.judging import NEVER, Verdict, judge
from kajabi_async.access.known import Known
from kajabi_async.access.question import Question

__all__ = ["Age", "Decision", "decide"]

Age = Literal["fresh", "stale", "too old"]
"""Whether an answer is returned as it is, returned while it is refreshed, or not returned."""


@attrs.frozen
class Decision:
    """An answer, and what it is worth."""

    access: Access
    age: Age
    unread: tuple[str, ...] = ()
    """The offers whose contents it lacks."""


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
    return Decision(_access(finding), age, finding.unread)


def _found(known: Known, question: Question, now: float, fresh: float) -> Verdict:
    if not known.people:
        return _not_found(known.identity)
    finding = judge(question, known.people, now, known.contents)
    if finding.state == "allowed":
        return attrs.evolve(finding, as_of=min(finding.as_of, known.contents_as_of))
    if not known.is_whole:
        return Verdict("unknown", "not all customers with this email could be read", finding.person, NEVER)
    if finding.state == "denied" and known.contents_as_of < now - fresh:
        # A product may have been added to an offer since.
        because = "what the offers contain may have changed"
        return attrs.evolve(finding, state="unknown", because=because, unread=tuple(known.contents))
    read_at = min(each.as_of for each in known.people)
    searched_at = read_at if known.identity is None else known.identity.as_of
    return attrs.evolve(finding, as_of=min(finding.as_of, searched_at)) if finding.as_of <= read_at else finding


def _not_found(identity: Identity | None) -> Verdict:
    if identity is None or identity.customers:
        return Verdict("unknown", "nothing is known", None, NEVER)
    if identity.is_proven:
        return Verdict("denied", "no customer has this email", None, identity.as_of)
    because = "the search found no customer with this email, which is no proof that there is none"
    return Verdict("unknown", because, None, identity.as_of)


def _access(finding: Verdict) -> Access:
    return Access(state=finding.state, because=finding.because, as_of=_time(finding.as_of), person=finding.person)


def _time(moment: float) -> datetime | None:
    return None if moment == NEVER else datetime.fromtimestamp(moment, UTC)
