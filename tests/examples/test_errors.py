from collections.abc import Mapping
from typing import Any, cast

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from fastapi import FastAPI

from examples.aiohttp_app.errors import answer_errors as aiohttp_middleware
from examples.fastapi_app.errors import answer_errors as fastapi_handlers
from kajabi_async import (
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    ErrorObject,
    FieldNotLoadedError,
    InvalidArgumentError,
    InvalidIdError,
    KajabiError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    UnprocessableEntityError,
    UntrustedLinkError,
)
from kajabi_async.webhooks import DeliveryInProgressError, ReplayGuardUnavailableError, WrongSecretError
from tests.examples.conftest import App
from tests.examples.serving import APPS

PERSONAL = "ada@lovelace.example"

on_the_running_app = pytest.mark.asyncio(loop_scope="session")


@on_the_running_app
@pytest.mark.parametrize("path", ["/members/999999/profile"])
async def test_a_missing_customer_is_404(app: App, path: str) -> None:
    """The answer says that there is no such record, and repeats nothing of Kajabi's text."""
    async with app.visitor.get(path) as answer:
        assert (answer.status, await answer.json()) == (404, {"detail": "There is no such record."})


@on_the_running_app
@pytest.mark.parametrize("path", ["/members/a%20b", "/members/a%3Fb/profile", "/members/7;8/products/1"])
async def test_an_address_without_a_possible_id_is_400(app: App, path: str) -> None:
    """No request goes to Kajabi for an impossible id."""
    async with app.visitor.get(path) as answer:
        assert answer.status == 400
    assert app.fake.counts.total() == 0


@on_the_running_app
async def test_a_rate_limit_is_503_and_says_when_to_come_back(app: App) -> None:
    """The seconds are rounded up, so that no visitor returns too early."""
    app.fake.fail("customers.get", status=429, headers={"Retry-After": "59.2"})
    async with app.visitor.get("/members/7/profile") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "60")


@on_the_running_app
@pytest.mark.parametrize(("status", "answered"), [(401, 500), (403, 500), (422, 500), (500, 502), (503, 502)])
async def test_what_kajabi_says_in_an_error_is_not_passed_on(app: App, status: int, answered: int) -> None:
    """Neither the visitor nor the log gets the body; the log gets what an investigation needs."""
    lines = len(app.served.lines)
    body = {"errors": [{"status": str(status), "title": "Refused", "detail": f"{PERSONAL} did something"}]}
    # A wait above the client's limit ends the retries at once.
    app.fake.fail("customers.get", status=status, times=2, headers={"Retry-After": "99"}, body=body)
    async with app.visitor.get("/members/7/profile") as answer:
        assert answer.status == answered
        assert (await answer.json()).keys() == {"detail"}
        assert PERSONAL not in await answer.text()
    summary = rf"GET /v1/customers/7 was answered {status} \[request [0-9a-f-]{{36}}\]"
    await app.served.logged(f"answered {answered}: .*{summary}", after=lines)
    assert PERSONAL not in "".join(app.served.lines[lines:])


@on_the_running_app
async def test_an_answer_that_cannot_be_read_is_502(app: App) -> None:
    """A page of a proxy in front of Kajabi is not an error of the application, and is not passed on."""
    page = f"<html>{PERSONAL}</html>"
    app.fake.answer_with("GET", "/v1/customers/7", body=page, content_type="text/html", times=None)
    async with app.visitor.get("/members/7/profile") as answer:
        assert (answer.status, await answer.json()) == (502, {"detail": "Kajabi has a problem."})


@on_the_running_app
async def test_a_connection_that_breaks_once_is_no_error(app: App) -> None:
    """The client retries the request, and the visitor sees no error."""
    app.fake.drop("customers.get", times=1)
    async with app.visitor.get("/members/7/profile") as answer:
        assert answer.status == 200


@attrs.frozen
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


ANSWERS: tuple[tuple[KajabiError, int], ...] = (
    (NotFoundError(status=404), 404),
    (InvalidArgumentError(PERSONAL), 400),
    (InvalidIdError(PERSONAL), 400),
    (RateLimitError(status=429), 503),
    (RequestTimeoutError("late", phase="total", seconds=1.0), 504),
    (ConnectionFailedError("broken"), 502),
    (TransportError("broken"), 502),
    (ServerError(status=500), 502),
    (DecodeError(f"got {PERSONAL}", context="GET /v1/customers/7"), 502),
    (UntrustedLinkError("another host", link=f"https://{PERSONAL}/"), 502),
    (AuthenticationError(status=401, hint="Check the secret"), 500),
    (PermissionDeniedError(status=403), 500),
    (BadRequestError(status=400, errors=[ErrorObject(detail=PERSONAL)]), 500),
    (UnprocessableEntityError(status=422, errors=[ErrorObject(detail=PERSONAL)]), 500),
    (ConfigurationError("set KAJABI_CLIENT_ID"), 500),
    (ClientClosedError("closed"), 500),
    (FieldNotLoadedError("not loaded", name="email"), 500),
    (KajabiError("something new"), 500),
    (WrongSecretError("wrong"), 404),
    (DeliveryInProgressError("busy"), 409),
    (ReplayGuardUnavailableError("away"), 503),
)


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(("error", "status"), ANSWERS, ids=[type(error).__name__ for error, _ in ANSWERS])
async def test_each_error_has_its_status_and_a_text_of_our_own(
    name: str, error: KajabiError, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors of the application and of Kajabi are logged, those of visitors are not.

    None shows the content of an answer.
    """
    answered = await _ANSWERED_BY[name](error)
    assert answered.status == status
    assert PERSONAL not in answered.body.decode()
    assert PERSONAL not in caplog.text
    if status >= 500 and answered.body:
        assert f"answered {status}: {type(error).__name__}" in caplog.text
    assert ("retry-after" in answered.headers) == isinstance(error, RateLimitError)


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(("announced", "sent"), [(None, "10"), (0.0, "10"), (0.1, "1"), (7.0, "7"), (7.1, "8")])
async def test_a_visitor_always_gets_a_wait(name: str, announced: float | None, sent: str) -> None:
    """Ten seconds, if Kajabi does not announce a wait."""
    answered = await _ANSWERED_BY[name](RateLimitError(status=429, retry_after=announced))
    assert answered.headers["retry-after"] == sent


async def _answered_by_aiohttp(error: KajabiError) -> Answered:
    async def failing(_: web.Request) -> web.StreamResponse:
        raise error

    response = cast("web.Response", await aiohttp_middleware(make_mocked_request("GET", "/"), failing))
    headers = {key.lower(): value for key, value in response.headers.items()}
    return Answered(response.status, headers, (response.text or "").encode())


async def _answered_by_fastapi(error: KajabiError) -> Answered:
    app = FastAPI()
    fastapi_handlers(app)

    @app.get("/")
    async def failing() -> None:  # pyright: ignore[reportUnusedFunction]  # the decorator takes it
        raise error

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}, receive, send)
    headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return Answered(sent[0]["status"], headers, sent[1]["body"])


_ANSWERED_BY = {"aiohttp_app": _answered_by_aiohttp, "fastapi_app": _answered_by_fastapi}
