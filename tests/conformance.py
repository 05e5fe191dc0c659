"""Every operation of the API, sent through the SDK to the fake and compared with the official document.

``python -m tests.conformance`` prints the table; `tests.test_conformance` asserts it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs

from kajabi_async import Kajabi
from kajabi_async.cli.signatures import resource_classes
from kajabi_async.exchange import FORM, JSON_API, Answer, Request
from kajabi_async.jsonapi.codec import decode
from kajabi_async.models.resource import MODELS, attribute_names
from kajabi_async.operations import OPERATIONS, AnswerKind, BodyKind, Operation
from kajabi_async.resources.base import Listable
from kajabi_async.testing import FakeKajabi
from tests.testing.openapi import document, problems, request_problems

__all__ = ["Verdict", "judged"]

Call = Callable[[Kajabi, FakeKajabi], Awaitable[Any]]

_CONTACT: Final = "2150000001"


@attrs.frozen
class Verdict:
    """The result for one operation."""

    row: Operation
    faults: tuple[str, ...]

    def __str__(self) -> str:
        result = "ok" if not self.faults else "; ".join(self.faults)
        return f"{self.row.method:<6} {self.row.path:<48} {self.row.name:<32} {result}"


async def _create_and_delete_hook(api: Kajabi, _: FakeKajabi) -> None:
    hook = await api.hooks.create(site_id="1", event="purchase", target_url="https://a.example/x", resource_id="1")
    await api.hooks.delete(hook.id)


async def _write_and_delete_note(api: Kajabi, _: FakeKajabi) -> None:
    note = await api.contact_notes.create(contact_id=_CONTACT, body="called")
    await api.contact_notes.update(note.id, body="called twice")
    await api.contact_notes.delete(note.id)


async def _create_and_delete_contact(api: Kajabi, _: FakeKajabi) -> None:
    contact = await api.contacts.create(site_id="1", email="new.person@example.com", name="New", subscribed=True)
    await api.contacts.update(contact.id, phone_number=None, custom_fields={"custom_1": "blue"})
    await api.contacts.delete(contact.id)


async def _purchase(api: Kajabi, verb: str) -> None:
    async for purchase in api.purchases.list(active=True):
        if purchase.payment_type == "subscription":
            await getattr(api.purchases, verb)(purchase.id)
            return


async def _revoke(api: Kajabi, _: FakeKajabi) -> None:
    await api.me()
    await api.revoke()


CALLS: Final[Mapping[str, Call]] = {
    "oauth.token": lambda api, _: api.me(),
    "oauth.revoke": _revoke,
    "me": lambda api, _: api.me(),
    "version": lambda api, _: api.version(),
    "hooks.create": _create_and_delete_hook,
    "hooks.delete": _create_and_delete_hook,
    "contacts.create": _create_and_delete_contact,
    "contacts.update": _create_and_delete_contact,
    "contacts.delete": _create_and_delete_contact,
    "contact_notes.create": _write_and_delete_note,
    "contact_notes.update": _write_and_delete_note,
    "contact_notes.delete": _write_and_delete_note,
    "contacts.GET.tags": lambda api, _: api.contacts.tag_ids(_CONTACT),
    "contacts.POST.tags": lambda api, _: api.contacts.add_tags(_CONTACT, ["1", "2"]),
    "contacts.PATCH.tags": lambda api, _: api.contacts.replace_tags(_CONTACT, ["3"]),
    "contacts.DELETE.tags": lambda api, _: api.contacts.remove_tags(_CONTACT, ["3"]),
    "contacts.GET.offers": lambda api, _: api.contacts.offer_ids(_CONTACT),
    "contacts.POST.offers": lambda api, _: api.contacts.grant_offers(
        _CONTACT, ["1"], send_customer_welcome_email=False
    ),
    "contacts.PATCH.offers": lambda api, _: api.contacts.replace_offers(_CONTACT, ["1"]),
    "contacts.DELETE.offers": lambda api, _: api.contacts.revoke_offers(_CONTACT, ["1"]),
    "customers.GET.offers": lambda api, _: api.customers.offer_ids("1"),
    "customers.POST.offers": lambda api, _: api.customers.grant_offers("1", ["1"]),
    "customers.PATCH.offers": lambda api, _: api.customers.replace_offers("1", ["1"]),
    "customers.DELETE.offers": lambda api, _: api.customers.revoke_offers("1", ["1"]),
    "offers.GET.products": lambda api, _: api.offers.product_ids("1"),
    "forms.submit": lambda api, _: api.forms.submit("1", name="Ada", email="ada@example.com"),
    "payouts.list": lambda api, _: api.payouts.list(site_id="1").first(),
    "payouts.get": lambda api, _: api.payouts.get("payout_1", site_id="1"),
    "purchases.deactivate": lambda api, _: _purchase(api, "deactivate"),
    "purchases.reactivate": lambda api, _: _purchase(api, "reactivate"),
    "purchases.cancel_subscription": lambda api, _: _purchase(api, "cancel_subscription"),
}


def call_for(row: Operation) -> Call:
    """Return a call of the SDK that sends *row*."""
    name, _, verb = row.name.partition(".")
    if row.name in CALLS:
        return CALLS[row.name]
    if verb == "list":
        return lambda api, _: getattr(api, name).list().first()
    if verb == "get":
        return lambda api, _: _get_first(api, name)
    event: Any = verb.partition(".")[2]
    return lambda api, _: api.hooks.sample(event)


async def _get_first(api: Kajabi, name: str) -> None:
    resources = getattr(api, name)
    await resources.get((await resources.list().first()).id)


async def judged(row: Operation) -> Verdict:
    """Run one operation and compare request and answer with the document."""
    seen: list[tuple[Request, Answer]] = []
    async with (
        FakeKajabi(customers=40) as fake,
        Kajabi(client_id=fake.client_id, client_secret=fake.client_secret, base_url=fake.base_url) as api,
    ):
        _record(api, seen)
        await call_for(row)(api, fake)
        sent = [record.operation for record in fake.requests]
    if row.name not in sent:
        return Verdict(row, ("the SDK never sent it",))
    exchanges = [(request, answer) for request, answer in seen if _is_of(row, request)]
    return Verdict(row, tuple(dict.fromkeys([*_faults(row, *exchanges[-1]), *_declared_faults(row)])))


def _record(api: Kajabi, seen: list[tuple[Request, Answer]]) -> None:
    transport: Any = api.session._transport
    original = transport.send

    async def send(request: Request, *more: Any) -> Answer:
        answer: Answer = await original(request, *more)
        seen.append((request, answer))
        return answer

    transport.send = send


def _is_of(row: Operation, request: Request) -> bool:
    before, brace, rest = row.path.partition("{")
    after = rest.partition("}")[2]
    if request.method != row.method or not brace:
        return (request.method, request.path) == (row.method, row.path)
    middle = request.path.removeprefix(before).removesuffix(after)
    return request.path.startswith(before) and request.path.endswith(after) and "/" not in middle


def _faults(row: Operation, request: Request, answer: Answer) -> list[str]:
    return [*_request_faults(row, request), *_answer_faults(row, answer)]


def _request_faults(row: Operation, request: Request) -> list[str]:
    if row.body is BodyKind.NONE:
        return [] if request.body is None else ["a body although none is documented"]
    if request.body is None:
        return ["no body"]
    expected_type = FORM if row.body is BodyKind.FORM else JSON_API
    body = dict(parse_qsl(request.body.decode())) if row.body is BodyKind.FORM else decode(request.body)
    media_type = [] if request.content_type == expected_type else [f"sent as {request.content_type}"]
    return [*media_type, *request_problems(row.method, row.path, expected_type, body)]


def _answer_faults(row: Operation, answer: Answer) -> list[str]:
    if row.answer is AnswerKind.NOTHING:
        return []
    return problems(row.method, row.path, answer.status, decode(answer.body))


def _declared_faults(row: Operation) -> list[str]:
    if row.answer is AnswerKind.COLLECTION:
        return [*_filter_faults(row), *_attribute_faults(row)]
    return _attribute_faults(row) if row.answer is AnswerKind.RESOURCE else []


def _filter_faults(row: Operation) -> list[str]:
    (cls,) = [cls for cls in resource_classes() if cls.name == row.name.partition(".")[0]]
    known = _known_filters(cls)
    parameters = document()["paths"][row.path][row.method.lower()].get("parameters", [])
    names = {entry["name"].split("[")[1].rstrip("]") for entry in parameters if entry["name"].startswith("filter[")}
    return [f"filter {name} is not accepted" for name in sorted(names - known)]


def _known_filters(cls: type[Listable[Any]]) -> set[str]:
    return set(cls.filters.__annotations__)


def _attribute_faults(row: Operation) -> list[str]:
    answers = document()["paths"][row.path][row.method.lower()]["responses"]
    content = answers.get("200", answers.get("201", {})).get("content", {})
    names = _documented_attributes(content)
    type_name = row.path.split("/")[2] if not row.name.endswith("submit") else "form_submissions"
    known = attribute_names(MODELS[type_name])
    missing = {name for name in names if name not in known and not name.startswith("custom_")}
    return [f"attribute {name} is not on the model" for name in sorted(missing)]


def _documented_attributes(content: Mapping[str, Any]) -> set[str]:
    for media_type in content.values():
        data = _resolved(_resolved(media_type["schema"])["properties"].get("data", {}))
        resource = _resolved(data["items"]) if data.get("type") == "array" else data
        attributes = _resolved(resource.get("properties", {}).get("attributes", {}))
        return set(attributes.get("properties", {}))
    return set()


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return schema if reference is None else document()["components"]["schemas"][reference.rsplit("/", 1)[1]]


async def main() -> int:
    """Print the table and return the exit code."""
    verdicts = [await judged(row) for row in OPERATIONS.values()]
    for number, verdict in enumerate(verdicts, 1):
        print(f"{number:>2} {verdict}")  # noqa: T201 - the table
    failed = sum(bool(verdict.faults) for verdict in verdicts)
    print(f"{len(verdicts) - failed} of {len(verdicts)} operations conform")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
