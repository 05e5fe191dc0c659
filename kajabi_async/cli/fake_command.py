"""``kajabi fake``: a fake of the API to develop against, as a process of its own."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from kajabi_async.checks import number, whole_number
from kajabi_async.cli.options import Json, Metavar, whole
from kajabi_async.cli.running import run_to_exit_code
from kajabi_async.errors import ConfigurationError, InvalidArgumentError
from kajabi_async.output import flush, print_json, print_line

if TYPE_CHECKING:
    from kajabi_async.testing import FakeKajabi

__all__ = ["fake"]

_LAST_PORT: Final = 65_535


def fake(
    *,
    port: Annotated[
        int, Parameter(help="The port to listen on; 0 picks a free one.", converter=whole), Metavar("NUMBER")
    ] = 0,
    customers: Annotated[
        int,
        Parameter(help="The number of customers; each is made when first requested.", converter=whole),
        Metavar("NUMBER"),
    ] = 1000,
    latency: Annotated[float, Parameter(help="Seconds before every answer."), Metavar("SECONDS")] = 0.0,
    credentials: Annotated[
        Path | None,
        Parameter(help="A credentials file to keep the key of the fake in, so that a restart has the same one."),
        Metavar("FILE"),
    ] = None,
    json: Json = False,
) -> int:
    """Serve a fake of the API on loopback until interrupted, and print the variables to export to use it.

    With --credentials the key is read from that file; if there is none yet, a new key is written to it, readable by
    you alone. Commands read it with KAJABI_CREDENTIALS_FILE. Without --credentials every start has another key.

    Examples:
      kajabi fake --port 8080
      kajabi fake --port 8080 --credentials fake.toml
    """
    whole_number(port, of="--port", at_least=0, at_most=_LAST_PORT)
    whole_number(customers, of="--customers", at_least=0)
    number(latency, of="--latency", expected="a number of seconds, 0 or more", fits=lambda it: 0 <= it < float("inf"))

    async def serve() -> None:
        server = _server(credentials, customers=customers, latency=latency)
        try:
            await server.start(port=port)
        except OSError as error:
            await server.aclose()
            # The text of asyncio repeats the address.
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ConfigurationError(f"cannot listen on port {port}: {reason}") from None
        try:
            _print_settings(server, credentials, json=json)
            flush()
            await asyncio.Event().wait()
        finally:
            await server.aclose()

    return run_to_exit_code(serve)


def _server(path: Path | None, *, customers: int, latency: float) -> "FakeKajabi":
    # Imported here, as a refused argument does not need the fake.
    from kajabi_async.cli.credentials import toml_file  # noqa: PLC0415
    from kajabi_async.session import ClientCredentials  # noqa: PLC0415
    from kajabi_async.testing import FakeKajabi  # noqa: PLC0415

    kept = None if path is None else toml_file.read(path)
    try:
        key: dict[str, str] = {} if kept is None else kept.form()
        client_id, client_secret = key.get("client_id"), key.get("client_secret")
        server = FakeKajabi(customers=customers, latency=latency, client_id=client_id, client_secret=client_secret)
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    if path is not None and kept is None:
        toml_file.write(path, ClientCredentials(server.client_id, server.client_secret))
    return server


def _print_settings(server: "FakeKajabi", path: Path | None, *, json: bool) -> None:
    settings = {
        "KAJABI_BASE_URL": server.base_url,
        "KAJABI_CLIENT_ID": server.client_id,
        "KAJABI_CLIENT_SECRET": server.client_secret,
    }
    if json:
        print_json(settings)
        return
    for name, value in settings.items():
        print_line(f"export {name}={value}")
    if path is not None:
        print_line(f"# the key is kept in {path}; KAJABI_CREDENTIALS_FILE={path} uses it, too")
