"""Breaking a TCP connection so that the other end sees a reset, and not an end."""

import asyncio
import socket
import struct
import sys
from contextlib import suppress
from typing import Final

__all__ = ["reset"]

_LINGER_NOT: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def reset(transport: asyncio.WriteTransport) -> None:
    """Break the connection at once with an RST; what has not left yet is lost."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        # A socket that is closed already: the loops differ in what they raise.
        with suppress(OSError, ValueError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
