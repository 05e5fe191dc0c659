"""The observer by itself: attributes, limits, and dependencies."""

import subprocess
import sys

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from kajabi_async.session import (
    OperationEnded,
    OperationStarted,
    RequestAnswered,
    RequestRetried,
    RequestStarted,
    RequestWaited,
    SessionEvent,
)
from kajabi_async.telemetry import Tracing, tracing
from kajabi_async.telemetry.tracing import outcome, target_of
from kajabi_async.testing import FakeKajabi
from tests.telemetry.recording import Recording


def _started(number: int) -> OperationStarted:
    return OperationStarted(number, "customers.list", "GET", "/v1/customers", "https://api.kajabi.com")


@pytest.mark.parametrize(
    ("base_url", "scheme", "address", "port", "template"),
    [
        ("https://api.kajabi.com", "https", "api.kajabi.com", 443, "/v1/me"),
        ("http://localhost", "http", "localhost", 80, "/v1/me"),
        ("http://[::1]:8080", "http", "::1", 8080, "/v1/me"),
        ("https://proxy.example:8443/kajabi", "https", "proxy.example", 8443, "/kajabi/v1/me"),
    ],
)
def test_the_server_is_read_from_the_base_url(
    base_url: str, scheme: str, address: str, port: int, template: str
) -> None:
    """With the default port of the scheme if it has none."""
    target = target_of("GET", "/v1/me", base_url)
    assert target.name == f"GET {template}"
    assert target.attributes == {
        "http.request.method": "GET",
        "url.scheme": scheme,
        "url.template": template,
        "server.address": address,
        "server.port": port,
    }


@pytest.mark.parametrize(
    ("status", "error", "error_type"),
    [(200, "", None), (204, "", None), (304, "ApiError", None), (400, "BadRequestError", "400"), (503, "x", "503")],
)
def test_an_answer_is_an_error_from_400_on(status: int, error: str, error_type: str | None) -> None:
    """For a client; the type is the status."""
    ended = outcome(status, error)
    assert ended.get("error.type") == error_type
    assert ended["http.response.status_code"] == status


def test_operations_that_never_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest spans are ended with the error type "lost"; later events of theirs are ignored."""
    monkeypatch.setattr(tracing, "_MAX_OPEN", 20)
    recording = Recording()
    for number in range(1, 31):
        recording.tracing(_started(number))
        recording.tracing(RequestStarted(number, "customers.list", 1))
    assert len(recording.tracing._open) <= 20
    assert 30 in recording.tracing._open
    lost = [tree for tree in recording.trees() if tree.name == "kajabi customers.list"]
    assert len(lost) == 30 - len(recording.tracing._open)
    assert {tree.attributes["error.type"] for tree in lost} == {"lost"}
    assert {len(tree.children) for tree in lost} == {1}
    before = len(recording.spans)
    late: tuple[SessionEvent, ...] = (
        RequestAnswered(1, "customers.list", 1, 200, "", 0.1, 10),
        RequestWaited(1, "customers.list", 0.5),
        RequestRetried(1, "customers.list", 1, "ServerError", 0.5),
        RequestStarted(1, "customers.list", 2),
        OperationEnded(1, "customers.list", 2, "", cancelled=False, seconds=1.0),
    )
    for event in late:
        recording.tracing(event)
    assert len(recording.spans) == before
    assert len(recording.points("kajabi.client.retries")) == 1


def test_an_unknown_event_is_ignored() -> None:
    """A later session may have more events."""
    recording = Recording()
    recording.tracing(SessionEvent())
    assert recording.spans == ()


async def test_a_sampler_may_leave_everything_out(kajabi_fake: FakeKajabi) -> None:
    """Metrics are recorded all the same."""
    recording = Recording(ALWAYS_OFF)
    async with recording.client(kajabi_fake) as api:
        await api.customers.get("1")
    assert recording.spans == ()
    assert len(recording.points("http.client.request.duration")) == 2


async def test_the_providers_of_the_program_are_the_default(
    kajabi_fake: FakeKajabi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are set once for the whole program."""
    recording = Recording()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: recording.provider)
    async with recording.client(kajabi_fake, observers=[Tracing()]) as api:
        await api.customers.get("1")
    assert "kajabi customers.get" in [span.name for span in recording.spans]
    scopes = {span.instrumentation_scope.name for span in recording.spans if span.instrumentation_scope}
    assert scopes == {"kajabi_async"}


async def test_without_any_provider_nothing_happens(kajabi_fake: FakeKajabi) -> None:
    """As with any instrumented library."""
    tracing_by_nobody = Tracing(trace.NoOpTracerProvider(), metrics.NoOpMeterProvider())
    async with Recording().client(kajabi_fake, observers=[tracing_by_nobody]) as api:
        assert (await api.customers.get("1")).id == "1"
    assert tracing_by_nobody._open == {}


_WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
import kajabi_async
try:
    import kajabi_async.telemetry
except ImportError as error:
    print(type(error).__name__, error)
"""


def _import_without(module: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", _WITHOUT, module], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_without_the_library_the_error_names_the_extra() -> None:
    """The client itself works without it."""
    message = _import_without("opentelemetry")
    assert message == "ImportError traces and metrics need the extra 'otel': pip install 'kajabi-async[otel]'"


def test_any_other_missing_module_is_reported_as_it_is() -> None:
    """Installing the extra would not help."""
    message = _import_without("kajabi_async.telemetry.tracing")
    assert message.startswith("ModuleNotFoundError")
    assert "otel" not in message


def test_the_client_does_not_load_the_library() -> None:
    """Only programs that trace pay for it."""
    script = "import sys, kajabi_async; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
