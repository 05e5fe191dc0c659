"""What has changed in an account, polled: ``async for change in api.changes(cursor=...)``.

Kajabi has no events for most changes, and no feed of them. Its lists of purchases and notes are sorted by the time of
the last write, those of orders, submissions, customers and contacts by the time of creation: one request for each list
shows the newest, which is all that a quiet poll sends.

Imports ``resources`` and what these stand on; the client imports this package. Read ``poll.py`` first: it reads the
lists (``list_reader.py``), looks for planned ends of access (``ends.py``) and makes a ``batch.py`` of what is new by
what a ``window.py`` remembers of each list. ``stream.py`` is what users iterate, and polls in turn with waiting;
``cursor.py`` writes the state as text.
"""

from kajabi_async.changes.kinds import (
    AccessEnded,
    Change,
    ContactAdded,
    ContactChanged,
    CustomerAdded,
    CustomerChanged,
    FormSubmitted,
    NoteWritten,
    OrderChanged,
    OrderPlaced,
    PurchaseChanged,
    PurchaseMade,
    ResourceGone,
)
from kajabi_async.changes.stream import Changes
from kajabi_async.changes.watched import WatchName

__all__ = [
    "AccessEnded",
    "Change",
    "Changes",
    "ContactAdded",
    "ContactChanged",
    "CustomerAdded",
    "CustomerChanged",
    "FormSubmitted",
    "NoteWritten",
    "OrderChanged",
    "OrderPlaced",
    "PurchaseChanged",
    "PurchaseMade",
    "ResourceGone",
    "WatchName",
]
