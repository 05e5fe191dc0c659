"""Reset of a TCP connection (RST), as opposed to an orderly close."""

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from typing import Final

__all__ = ["reset"]

_NO_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def reset(transport: asyncio.WriteTransport) -> None:
    """Reset the connection at once (RST); unsent bytes are lost."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        # For a socket that is already closed, event loops raise different errors.
        with suppress(OSError, ValueError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
