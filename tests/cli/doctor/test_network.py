"""Checks of the network: every cause of failure has a name and a cure of its own."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from kajabi_async.cli.doctor.findings import Finding
from kajabi_async.cli.doctor.network import check_network
from kajabi_async.cli.front import ExitCode


async def _checked(base_url: str, *, seconds: float = 5.0) -> dict[str, Finding]:
    return {finding.check: finding async for finding in check_network(base_url, seconds=seconds)}


@asynccontextmanager
async def _serving(context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Listen on loopback and send nothing, with TLS if there is a context."""
    writers: list[asyncio.StreamWriter] = []

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority of the tests, as Python does with SSL_CERT_FILE."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def _context(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # pyOpenSSL may be missing
    return context


@pytest.mark.usefixtures("trusted")
async def test_an_open_way_is_reported_step_by_step(authority: trustme.CA) -> None:
    """The addresses, the one that answers, and the TLS version."""
    async with _serving(_context(authority, "localhost")) as port:
        found = await _checked(f"https://localhost:{port}")
    assert {name: finding.status for name, finding in found.items()} == dict.fromkeys(found, "ok")
    assert "127.0.0.1" in found["name resolution"].details["addresses"]
    assert found["connection"].details["address"] == "127.0.0.1"
    assert found["TLS"].details["version"] == "TLSv1.3"


async def test_a_name_that_is_not_resolved_skips_the_rest() -> None:
    """The first cure is to check the spelling."""
    found = await _checked("https://api.kajabi.invalid")
    assert [finding.status for finding in found.values()] == ["fail", "skip", "skip"]
    finding = found["name resolution"]
    assert (finding.details["cause"], finding.exit_code) == ("not resolved", ExitCode.UNREACHABLE)
    assert "spelling of KAJABI_BASE_URL" in finding.cure


async def test_a_name_that_can_be_none_is_no_traceback() -> None:
    """A label has at most 63 characters (RFC 1035)."""
    found = await _checked(f"https://{'a' * 64}.example.com")
    assert found["name resolution"].details["cause"] == "not resolved"


async def test_a_resolver_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check ends at the time limit."""

    async def silent(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    found = await _checked("https://api.kajabi.com", seconds=0.05)
    assert found["name resolution"].details["cause"] == "timeout"
    assert "DNS" in found["name resolution"].cure


async def test_a_closed_port_is_reported_as_refused() -> None:
    """TLS is skipped then."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = await _checked(f"https://127.0.0.1:{taken.getsockname()[1]}")
    assert [finding.status for finding in found.values()] == ["ok", "fail", "skip"]
    assert found["connection"].details["cause"] == "refused"
    assert "nothing listens there" in found["connection"].cure


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (TimeoutError(), "timeout"),
        (OSError(101, "Network is unreachable"), "no route"),
        (OSError(1, "Operation not permitted"), "failed"),
    ],
)
async def test_other_failures_to_connect_have_causes_of_their_own(
    error: OSError, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall that drops packets, a machine that is offline, and an unexpected error."""

    async def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncio, "open_connection", failing)
    found = await _checked("https://127.0.0.1:9")
    assert found["connection"].details["cause"] == cause
    assert found["connection"].exit_code is ExitCode.UNREACHABLE


async def test_a_certificate_of_an_unknown_authority_is_reported(authority: trustme.CA) -> None:
    """Such as behind a proxy that intercepts TLS."""
    async with _serving(_context(authority, "localhost")) as port:
        finding = (await _checked(f"https://localhost:{port}"))["TLS"]
    assert (finding.status, finding.details["cause"]) == ("fail", "certificate")
    assert "not trusted" in finding.message
    assert "SSL_CERT_FILE" in finding.cure


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_of_another_host_is_reported(authority: trustme.CA) -> None:
    """Such as if a name resolves to the wrong machine."""
    async with _serving(_context(authority, "other.example.com")) as port:
        finding = (await _checked(f"https://localhost:{port}"))["TLS"]
    assert finding.details["cause"] == "certificate"
    assert "Hostname mismatch" in finding.message


async def test_a_port_that_speaks_no_tls_is_reported() -> None:
    """Such as port 80 with https."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        finding = (await _checked(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"))["TLS"]
    assert (finding.status, finding.details["cause"]) == ("fail", "handshake")
    assert "a port that speaks TLS" in finding.cure


async def test_a_handshake_that_is_not_answered_is_given_up() -> None:
    """The check ends at the time limit."""
    async with _serving() as port:
        finding = (await _checked(f"https://127.0.0.1:{port}", seconds=0.3))["TLS"]
    assert finding.details["cause"] == "timeout"


async def test_plain_http_has_no_tls_to_check() -> None:
    """The fake speaks plain http."""
    async with _serving() as port:
        found = await _checked(f"http://127.0.0.1:{port}")
    assert [finding.status for finding in found.values()] == ["ok", "ok", "skip"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_a_proxy_setting_that_is_not_followed_is_reported_with_the_failure(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser on the same machine would use the proxy."""
    monkeypatch.setenv(variable, "http://user:pw@proxy.example.com:3128")
    found = await _checked("https://api.kajabi.invalid")
    assert f"{variable} is set, but the SDK does not use proxies" in found["name resolution"].cure
    assert "pw@" not in found["name resolution"].cure
