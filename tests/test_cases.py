"""Small inputs that integrators met, each under the name it was collected by; personal details are replaced.

The whole client reads them over a socket, from a server with prepared answers.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from aiohttp import web

from kajabi_async import (
    AmbiguousMatchError,
    DecodeError,
    GetOrCreated,
    Kajabi,
    PermissionDeniedError,
    RetryPolicy,
    ServerError,
    UnprocessableEntityError,
    UnreadableAttributeError,
)
from kajabi_async.webhooks import (
    DashboardOrderCreated,
    DashboardPaymentSucceeded,
    MemoryReplayGuard,
    PathSecrets,
    Receiver,
    WrongSecretError,
)

SECRET = "s3cr3t-" + "x9Y8z7W6" * 5
PAGE = "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body>Blocked</body></html>"
ADA = "ada@example.com"
TAGS = "/v1/contacts/1/relationships/tags"
OFFERS = "/v1/contacts/1/relationships/offers"


@attrs.frozen
class Reply:
    """One answer."""

    body: Any = None
    status: int = 200
    content_type: str = "application/vnd.api+json"

    def response(self) -> web.Response:
        text = self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)
        return web.Response(status=self.status, text=text, content_type=self.content_type)


@attrs.define
class Server:
    """A server with answers for each method and path; the last of several is repeated."""

    api: Kajabi
    answers: dict[tuple[str, str], list[Reply]] = attrs.Factory(dict[tuple[str, str], list[Reply]])
    requests: list[str] = attrs.Factory(list[str])

    def on(self, method: str, path: str, *answers: Reply) -> None:
        """Answer *method* of *path*, with its query if that matters, with *answers* in order."""
        self.answers[method, path] = list(answers)

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        if request.path == "/v1/oauth/token":
            return web.json_response({"access_token": "t", "token_type": "Bearer", "expires_in": 7200})
        self.requests.append(f"{request.method} {request.path_qs}")
        found = self.answers.get((request.method, request.path_qs)) or self.answers.get((request.method, request.path))
        if found is None:
            return web.json_response({"errors": [{"status": "404", "title": "Not Found"}]}, status=404)
        return (found.pop(0) if len(found) > 1 else found[0]).response()


@asynccontextmanager
async def serving() -> AsyncGenerator[Server]:
    """Yield a server with its ``api``, a client that retries after short waits."""
    answering: Callable[[web.Request], Awaitable[web.Response]] | None = None

    async def dispatch(request: web.Request) -> web.Response:
        assert answering is not None
        return await answering(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", dispatch)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    retry = RetryPolicy(max_attempts=3, base_seconds=0.001)
    try:
        async with Kajabi(client_id="i", client_secret="s", base_url=base_url, site_id="1", retry=retry) as api:
            server = Server(api)
            answering = server.answer
            yield server
    finally:
        await runner.cleanup()


def row(resource_type: str, resource_id: str, attributes: Any = None, **members: Any) -> dict[str, Any]:
    return {"type": resource_type, "id": resource_id, "attributes": attributes or {}, **members}


def linked(resource_type: str, *ids: str) -> dict[str, Any]:
    return {"data": [{"type": resource_type, "id": each} for each in ids]}


def error(status: int, title: str, detail: str, pointer: str | None = None) -> Reply:
    source = None if pointer is None else {"pointer": pointer}
    entry = {"status": str(status), "source": source, "title": title, "detail": detail}
    return Reply({"errors": [entry]}, status)


async def handled(receiver: Receiver, body: dict[str, Any]) -> tuple[Any, bool, int]:
    """Return the event of *body*, whether it is a duplicate, and how often its handler ran."""
    seen: list[Any] = []

    async def handle(event: Any) -> None:
        seen.append(event)

    receipt = await receiver.receive(SECRET, json.dumps(body).encode(), handle)
    return receipt.event, receipt.duplicate, len(seen)


def receiver() -> Receiver:
    return Receiver(PathSecrets(SECRET), MemoryReplayGuard())


def test_probe() -> None:
    """GET and HEAD of the secret path: 200, and 404 for a wrong secret; no event is handled."""
    assert receiver().probe(SECRET) == 200
    with pytest.raises(WrongSecretError) as caught:
        receiver().probe("x" * 40)
    assert caught.value.http_status == 404


ORDER_CREATED: dict[str, Any] = {
    "id": "7f3c",
    "event": "order.created",
    "order": {"id": 4411, "order_items": [{"id": 2151386538, "title": "AXIOM", "unit_cost": 0, "quantity": 1}]},
    "payment_transaction": {"id": 991, "amount_paid": 0, "customer": {"id": 55, "email": ADA, "name": "Ada"}},
}


@pytest.mark.parametrize("payload", [False, True], ids=["beside the id", "in a payload"])
async def test_02_order_created(payload: bool) -> None:
    """A typed event with order, items, transaction and person."""
    envelope = {name: ORDER_CREATED[name] for name in ("id", "event")}
    facts = {name: each for name, each in ORDER_CREATED.items() if name not in envelope}
    event, _, runs = await handled(receiver(), {**envelope, "payload": facts} if payload else ORDER_CREATED)
    assert isinstance(event, DashboardOrderCreated)
    assert event.order.order_items is not None
    (item,) = event.order.order_items
    assert (event.id, event.order.id, item.id, item.title, item.unit_cost, item.quantity) == (
        *("7f3c", "4411", "2151386538", "AXIOM", 0, 1),
    )
    assert (event.payment.id, event.payment.amount_paid) == ("991", 0)
    assert (event.member.id, event.member.email, event.member.name) == ("55", ADA, "Ada")
    assert runs == 1


async def test_02b_payment_succeeded() -> None:
    """It is read without the id at the top; the same transaction again is a replay, another is not."""
    body: dict[str, Any] = {
        "event": "payment.succeeded",
        "offer": {"id": 2151386538, "title": "AXIOM"},
        "member": {"id": 55, "email": ADA, "name": "Ada L", "first_name": "Ada", "last_name": "L"},
        "payment_transaction": {"id": 991, "amount_paid": 4900, "amount_paid_decimal": 49.0, "currency": "USD"},
    }
    endpoint = receiver()
    event, duplicate, runs = await handled(endpoint, body)
    assert isinstance(event, DashboardPaymentSucceeded)
    assert (event.member.email, event.payment.amount_paid, event.has_own_id) == (ADA, 4900, False)
    assert (duplicate, runs) == (False, 1)
    again = {**body, "member": {**body["member"], "name": "Ada Lovelace"}}
    assert (await handled(endpoint, again))[1:] == (True, 0)
    other = {**body, "payment_transaction": {**body["payment_transaction"], "id": 992}}
    assert (await handled(endpoint, other))[1:] == (False, 1)
    assert (await handled(endpoint, {**body, "id": "8d2e"}))[1:] == (False, 1)


@pytest.mark.parametrize("name", ["purchases", "transactions"])
async def test_purchases_include(name: str) -> None:
    """Customer and offer are included in a list and in one resource: typed, and awaiting them costs no request."""
    relations = {
        "offer": {"data": {"type": "offers", "id": "2"}},
        "customer": {"data": {"type": "customers", "id": "3"}},
    }
    rows = [row(name, str(number), relationships=relations) for number in range(100)]
    included = [row("offers", "2", {"title": "Pass"}), row("customers", "3", {"email": ADA})]
    async with serving() as server:
        server.on("GET", f"/v1/{name}", Reply({"data": rows, "included": included, "links": {}}))
        server.on("GET", f"/v1/{name}/0", Reply({"data": rows[0], "included": included}))
        resource: Any = getattr(server.api, name)
        sort = {"sort": "-updated_at"} if name == "purchases" else {}
        listed = await resource.list(include=["offer", "customer"], page_size=200, **sort).collect()
        single = await resource.get("0", include=["offer", "customer"])
        assert len(listed) == 100
        for each in (*listed, single):
            assert (await each.customer).email == ADA
            assert (await each.offer).title == "Pass"
        assert len(server.requests) == 2
        assert "page%5Bsize%5D=200" in server.requests[0]


async def test_gteq() -> None:
    """Filters that the server's library knows are accepted."""
    async with serving() as server:
        server.on("GET", "/v1/purchases", Reply({"data": [], "links": {}}))
        await server.api.purchases.list(created_at_gteq="2026-08-01").collect()
        assert "filter%5Bcreated_at_gteq%5D=2026-08-01" in server.requests[-1]


TAKEN = error(422, "Unprocessable Content", "Email has already been taken", "/data/attributes/email")


async def test_05_taken() -> None:
    """The search finds nothing, the creation is rejected as taken, the list has the contact."""
    searching = f"/v1/contacts?filter%5Bemail_contains%5D={ADA.replace('@', '%40')}&filter%5Bsite_id%5D=1"
    async with serving() as server:
        server.on("GET", "/v1/contacts", Reply({"data": [row("contacts", "77", {"email": ADA})], "links": {}}))
        server.on("GET", searching, Reply({"data": [], "meta": {"total_count": 0}, "links": {}}))
        server.on("POST", "/v1/contacts", TAKEN)
        assert await server.api.contacts.find_by_email(ADA) is None
        found = await server.api.contacts.find_by_email(ADA, thorough=True)
        assert found is not None
        assert found.id == "77"
        assert await server.api.contacts.get_or_create(email=ADA, name="Ada") == GetOrCreated(found, created=False)
        everyone = [row("contacts", "77", {"email": ADA}), row("contacts", "78", {"email": ADA.upper()})]
        server.on("GET", "/v1/contacts", Reply({"data": everyone, "links": {}}))
        with pytest.raises(AmbiguousMatchError):
            await server.api.contacts.get_or_create(email=ADA)


NOTHING = [Reply(status=204), Reply(status=202), Reply(status=200), Reply({"meta": {"count": 1}}), Reply(status=201)]


@pytest.mark.parametrize("answer", NOTHING, ids=["204", "202", "empty 200", "meta alone", "empty 201"])
async def test_204(answer: Reply) -> None:
    """Every write succeeds with any 2xx."""
    async with serving() as server:
        api = server.api
        for relation, resource_type in (("tags", "contact_tags"), ("offers", "offers")):
            for owner in ("contacts", "customers"):
                path = f"/v1/{owner}/1/relationships/{relation}"
                server.on("GET", path, Reply(linked(resource_type, "2")))
                for method in ("POST", "PATCH", "DELETE"):
                    server.on(method, path, answer)
        assert await api.contacts.grant_offers("1", ["2"], send_customer_welcome_email=False) == ("2",)
        assert await api.contacts.revoke_offers("1", ["3"]) == ("2",)
        assert await api.contacts.replace_offers("1", ["2"]) == ("2",)
        assert await api.customers.grant_offers("1", ["2"]) == ("2",)
        assert await api.customers.revoke_offers("1", ["3"]) == ("2",)
        assert await api.customers.replace_offers("1", ["2"]) == ("2",)
        assert await api.contacts.add_tags("1", ["2"]) == ("2",)
        assert await api.contacts.remove_tags("1", ["3"]) == ("2",)
        assert await api.contacts.replace_tags("1", ["2"]) == ("2",)
        writes: tuple[tuple[str, str, Callable[[], Awaitable[Any]]], ...] = (
            ("POST", "/v1/contacts", lambda: api.contacts.create(email=ADA)),
            ("PATCH", "/v1/contacts/1", lambda: api.contacts.update("1", name="Ada")),
            ("DELETE", "/v1/contacts/1", lambda: api.contacts.delete("1")),
            ("POST", "/v1/contact_notes", lambda: api.contact_notes.create(contact_id="1", body="x")),
            ("PATCH", "/v1/contact_notes/1", lambda: api.contact_notes.update("1", body="x")),
            ("DELETE", "/v1/contact_notes/1", lambda: api.contact_notes.delete("1")),
            ("POST", "/v1/hooks", lambda: api.hooks.create(event="purchase", target_url="https://a.example/")),
            ("DELETE", "/v1/hooks/1", lambda: api.hooks.delete("1")),
            ("POST", "/v1/forms/1/submit", lambda: api.forms.submit("1", email=ADA)),
            ("POST", "/v1/purchases/1/deactivate", lambda: api.purchases.deactivate("1")),
            ("POST", "/v1/purchases/1/reactivate", lambda: api.purchases.reactivate("1")),
            ("POST", "/v1/purchases/1/cancel_subscription", lambda: api.purchases.cancel_subscription("1")),
        )
        for method, path, write in writes:
            server.on(method, path, answer)
            await write()
            assert server.requests[-1] == f"{method} {path}"


@pytest.mark.parametrize(("verb", "path"), [("add_tags", TAGS), ("grant_offers", OFFERS)])
async def test_07_already(verb: str, path: str) -> None:
    """With ``verify=True`` it succeeds if the state is as requested, else it raises the error."""
    refusal = error(422, "Unprocessable Content", "Tag has already been added")
    async with serving() as server:
        server.on("POST", path, refusal)
        write = getattr(server.api.contacts, verb)
        server.on("GET", path, Reply(linked("contact_tags" if path == TAGS else "offers", "2")))
        assert await write("1", ["2"], verify=True) == ("2",)
        with pytest.raises(UnprocessableEntityError, match="already been added"):
            await write("1", ["2"])
        with pytest.raises(UnprocessableEntityError, match="already been added"):
            await write("1", ["2", "3"], verify=True)


async def test_edge() -> None:
    """Text, pages and statuses of proxies in front of the API: transient ones are retried, and no key is blamed."""
    text, html, good = "text/plain", "text/html", Reply({"data": row("customers", "1")})
    async with serving() as server:
        customers = server.api.customers
        server.on("GET", "/v1/customers/1", Reply("error code: 1015", 429, text), good)
        assert (await customers.get("1")).id == "1"
        for status in (*range(520, 528), 530):
            server.on("GET", "/v1/customers/1", Reply(f"error code: {status}", status, text), good)
            assert (await customers.get("1")).id == "1"
        server.on("GET", "/v1/customers/1", Reply(PAGE, 521, html), good)
        assert (await customers.get("1")).id == "1"
        server.on("GET", "/v1/customers/1", Reply(PAGE, 403, html))
        with pytest.raises(PermissionDeniedError) as rejected:
            await customers.get("1")
        assert rejected.value.is_html
        assert not any(word in str(rejected.value).lower() for word in ("plan", "key", "permission"))
        server.on("GET", "/v1/customers/1", Reply(PAGE, 200, html))
        with pytest.raises(DecodeError, match="text/html"):
            await customers.get("1")
        requests = len(server.requests)
        server.on("PATCH", "/v1/contacts/1", Reply("error code: 521", 521, text))
        with pytest.raises(ServerError) as lost:
            await server.api.contacts.update("1", name="Ada")
        assert lost.value.maybe_applied
        assert len(server.requests) == requests + 1


@pytest.mark.parametrize("stated", [None, {}], ids=["links alone", "nothing"])
async def test_10_lazy_load_data(stated: Any) -> None:
    """Included although the relation has no linkage: the right offers, with at most one further request."""
    link = {"links": {"self": f"https://api.kajabi.com{OFFERS}"}}
    contact = row("contacts", "1", {"email": "a@b.c"}, relationships={"offers": link if stated is None else stated})
    async with serving() as server:
        document = {"data": contact, "included": [row("offers", "9", {"title": "O"})]}
        server.on("GET", "/v1/contacts/1", Reply(document))
        server.on("GET", OFFERS, Reply(linked("offers", "9")))
        (offer,) = await (await server.api.contacts.get("1", include="offers")).offers
        assert (offer.id, offer.title) == ("9", "O")
        assert len(server.requests) <= 3


async def test_15_ends_2099() -> None:
    """A purchase that is deactivated in the future grants access today."""
    attributes = {"effective_start_at": "2024-01-01T00:00:00Z", "deactivated_at": "2099-01-01T00:00:00Z"}
    async with serving() as server:
        server.on("GET", "/v1/purchases/1", Reply({"data": row("purchases", "1", attributes)}))
        purchase = await server.api.purchases.get("1")
        assert not purchase.was_over_at(datetime(2026, 1, 1, tzinfo=UTC))
        assert purchase.was_over_at(datetime(2099, 1, 1, tzinfo=UTC))


async def test_seed_mix() -> None:
    """A product included only for an offer is not a product of the customer: these are requested."""
    document = {
        "data": row("customers", "123", {"name": "N"}, relationships={}),
        "included": [
            row("products", "1", {"title": "mine"}),
            row("offers", "7", {"title": "O"}, relationships={"products": linked("products", "2")}),
            row("products", "2", {"title": "of the offer only"}),
        ],
    }
    mine = {
        "data": row("customers", "123", relationships={"products": linked("products", "1")}),
        "included": [row("products", "1", {"title": "mine"})],
    }
    async with serving() as server:
        server.on("GET", "/v1/customers/123?include=products", Reply(mine))
        server.on("GET", "/v1/customers/123", Reply(document))
        customer = await server.api.customers.get(
            "123", include=["products", "offers.products"], fields={"customers": ["name"]}
        )
        assert [product.title for product in await customer.products] == ["mine"]


async def test_revoke_of_a_dead_token() -> None:
    """A 403 of OAuth is reported as such, without a word about the plan."""
    async with serving() as server:
        server.on("GET", "/v1/customers/1", Reply({"data": row("customers", "1")}))
        await server.api.customers.get("1")
        server.on("POST", "/v1/oauth/revoke", Reply({"error": "unauthorized_client"}, 403, "application/json"))
        with pytest.raises(PermissionDeniedError, match="unauthorized_client") as caught:
            await server.api.revoke()
        assert "plan" not in str(caught.value)


@pytest.mark.parametrize(
    "last", ["https://evil.example/", "javascript:alert(1)", "/v1/offers?page[number]=9", 7, {}, ""]
)
async def test_odd_last_link(last: Any) -> None:
    """The page is read; the number of pages is unknown, and the link is not followed."""
    async with serving() as server:
        links = {"next": "/v1/customers?page%5Bnumber%5D=2", "last": last}
        first = {"data": [row("customers", "1"), row("customers", "2")], "links": links, "meta": {}}
        server.on("GET", "/v1/customers", Reply(first))
        server.on("GET", links["next"], Reply({"data": [row("customers", "3")], "links": {}}))
        pages = server.api.customers.list()
        assert [each.id for each in await pages.collect()] == ["1", "2", "3"]
        assert await pages.count() is None
        assert (await server.api.customers.plan(map(str, range(200)))).list_pages is None
        assert {each.partition("?")[0] for each in server.requests} == {"GET /v1/customers"}


@pytest.mark.parametrize("inside", [False, True], ids=["beside data", "inside data"])
async def test_course_media(inside: bool) -> None:
    """Every included media is reached from the course, and from its lesson if the linkage says so."""
    lesson = row("lessons", "5", relationships={"media": linked("media", "8")})
    silent = row("lessons", "6", relationships={})
    media = [row("media", each, {"duration_in_minutes": 7.5}) for each in ("8", "9")]
    relations = {"modules": linked("modules", "4"), "lessons": linked("lessons", "5", "6")}
    data = row("courses", "1", {"title": "C"}, relationships=relations)
    included = [row("modules", "4"), lesson, silent, *media]
    document = {"data": {**data, "included": included}} if inside else {"data": data, "included": included}
    async with serving() as server:
        server.on("GET", "/v1/courses/1", Reply(document))
        course = await server.api.courses.get("1", include=["modules", "lessons", "lessons.media", "offers"])
        assert [each.id for each in await course.media] == ["8", "9"]
        assert [each.duration_in_minutes for each in await course.media] == [7.5, 7.5]
        first, _ = await course.lessons
        assert [each.id for each in await first.media] == ["8"]
        assert len(server.requests) == 1


@pytest.mark.parametrize("listed", [False, True])
async def test_zone_less_date_in_one_attribute(listed: bool) -> None:
    """The resource is read; the attribute's error describes the value."""
    data = row("customers", "1", {"name": "Ada", "created_at": "2024-01-10"})
    async with serving() as server:
        server.on("GET", "/v1/customers", Reply({"data": [data], "links": {}}))
        server.on("GET", "/v1/customers/1", Reply({"data": data}))
        customer = (await server.api.customers.list().collect())[0] if listed else await server.api.customers.get("1")
        assert customer.name == "Ada"
        with pytest.raises(UnreadableAttributeError, match="expected a time with its zone, got text") as caught:
            _ = customer.created_at
        assert caught.value.pointer == ("/data/0" if listed else "/data") + "/attributes/created_at"
        assert "2024" not in f"{caught.value!r}"


async def test_one_list_in_custom_2() -> None:
    """The other custom fields are read."""
    async with serving() as server:
        data = row("contacts", "1", {"email": ADA, "custom_1": "blue", "custom_2": ["a", "b"]})
        server.on("GET", "/v1/contacts/1", Reply({"data": data}))
        contact = await server.api.contacts.get("1")
        assert (contact.email, contact.custom_fields["custom_1"]) == (ADA, "blue")
        with pytest.raises(UnreadableAttributeError, match="expected text, got an array at /data/attributes/custom_2"):
            _ = contact.custom_fields["custom_2"]
