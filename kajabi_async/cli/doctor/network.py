"""Checks of the network: the name resolves, the port answers, the certificate is valid."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from kajabi_async.cli.doctor.findings import Finding, failed, fine, skipped
from kajabi_async.cli.doctor.machine import proxies_ignored
from kajabi_async.cli.front import ExitCode

__all__ = ["check_network"]

_NO_ROUTE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
Address = tuple[str, int]


@attrs.frozen
class Endpoint:
    """The network destination of requests."""

    host: str
    port: int
    is_encrypted: bool
    proxy: str
    """The name of a proxy setting that is not followed, or an empty string."""

    @classmethod
    def of(cls, base_url: str) -> "Endpoint":
        """Return the destination of a validated base URL."""
        parts = urlsplit(base_url)
        is_encrypted = parts.scheme == "https"
        port = parts.port or (443 if is_encrypted else 80)
        return cls(parts.hostname or "", port, is_encrypted, proxies_ignored(base_url))

    def cure(self, text: str) -> str:
        """Return *text*, with a note on the proxy if one is set."""
        if not self.proxy:
            return text
        return f"{text}. {self.proxy} is set, but the SDK does not use proxies: the API must be reachable without one"


async def check_network(base_url: str, *, seconds: float) -> AsyncIterator[Finding]:
    """Resolve, connect and, for https, do the TLS handshake; skip the steps after a failure.

    *seconds* is the limit of each step.
    """
    target = Endpoint.of(base_url)
    finding, addresses = await _resolve(target, seconds)
    yield finding
    if not addresses:
        yield skipped("connection", "not tried, as the name was not resolved")
        yield skipped("TLS", "not tried, as the name was not resolved")
        return
    finding, address = await _connect(target, addresses, seconds)
    yield finding
    if address is None:
        yield skipped("TLS", "not tried, as there is no connection")
    elif not target.is_encrypted:
        yield skipped("TLS", "the base URL is plain http")
    else:
        yield await _handshake(target, address, seconds)


async def _resolve(target: Endpoint, seconds: float) -> tuple[Finding, list[Address]]:
    check = "name resolution"
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        cure = target.cure("check the network and its DNS server")
        message = f"{target.host} was not resolved within {seconds:g} s"
        return failed(check, message, cure=cure, exit_code=ExitCode.UNREACHABLE, cause="timeout"), []
    except (socket.gaierror, UnicodeError) as error:
        cure = target.cure("check the spelling of KAJABI_BASE_URL, if it is set, then the network and its DNS server")
        reason = getattr(error, "strerror", None) or "no valid name"
        message = f"{target.host} is not resolved: {reason}"
        return failed(check, message, cure=cure, exit_code=ExitCode.UNREACHABLE, cause="not resolved"), []
    addresses = list(dict.fromkeys((str(each[4][0]), target.port) for each in found))
    hosts = [host for host, _ in addresses]
    return fine(check, f"{target.host} is {', '.join(hosts)}", addresses=hosts), addresses


async def _connect(target: Endpoint, addresses: list[Address], seconds: float) -> tuple[Finding, Address | None]:
    error: OSError = OSError()
    for address in addresses:
        try:
            await _connect_once(address, seconds)
        except OSError as failure:
            error = failure
        else:
            return fine("connection", f"{address[0]} port {address[1]} answers", address=address[0]), address
    return _not_connected(target, error, seconds), None


def _not_connected(target: Endpoint, error: OSError, seconds: float) -> Finding:
    place = f"{target.host} port {target.port}"
    if isinstance(error, TimeoutError):
        cause, message = "timeout", f"{place} did not answer within {seconds:g} s"
        cure = "a firewall may drop what is sent there: allow outgoing connections to it"
    elif isinstance(error, ConnectionRefusedError):
        cause, message = "refused", f"{place} refused the connection"
        cure = "nothing listens there: check host and port of KAJABI_BASE_URL, if it is set"
    elif error.errno in _NO_ROUTE:
        cause, message = "no route", f"there is no route to {place}"
        cure = "check whether this machine is online"
    else:
        cause, message = "failed", f"{place} cannot be reached: {error.strerror or type(error).__name__}"
        cure = "check the network, and whether a firewall blocks outgoing connections"
    return failed("connection", message, cure=target.cure(cure), exit_code=ExitCode.UNREACHABLE, cause=cause)


async def _handshake(target: Endpoint, address: Address, seconds: float) -> Finding:
    try:
        version = await _connect_once(address, seconds, ssl=ssl.create_default_context(), server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        cure = target.cure(
            "check this machine's clock and its certificates (Debian: the package ca-certificates); if a proxy "
            "intercepts TLS, name its authority in SSL_CERT_FILE"
        )
        return _no_tls(f"the certificate of {target.host} is not trusted: {error.verify_message}", cure, "certificate")
    except TimeoutError:
        cure = target.cure("something on the way there may not speak TLS: try another network")
        return _no_tls(f"{target.host} did not answer the TLS handshake within {seconds:g} s", cure, "timeout")
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        cure = target.cure("check that KAJABI_BASE_URL, if it is set, leads to a port that speaks TLS")
        return _no_tls(f"there is no TLS at {target.host} port {target.port}: {reason}", cure, "handshake")
    return fine("TLS", f"{version}, and the certificate holds", version=version)


def _no_tls(message: str, cure: str, cause: str) -> Finding:
    return failed("TLS", message, cure=cure, exit_code=ExitCode.UNREACHABLE, cause=cause)


async def _connect_once(address: Address, seconds: float, **options: Any) -> str | None:
    """Connect, close again, and return the TLS version, or None without TLS."""
    async with asyncio.timeout(seconds):
        _, writer = await asyncio.open_connection(*address, **options)
    try:
        secured: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        return None if secured is None else secured.version()
    finally:
        # A clean shutdown could block on the peer's close_notify.
        writer.transport.abort()
