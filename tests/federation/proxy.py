"""A TCP proxy before an instance, which treats requests and answers as bad lines do."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Literal, Self

# cut:     nobody takes the call
# hang:    the call is taken, and nothing is ever said
# slow:    the request comes seconds late
# lost:    the request arrives, its answer does not
# torn:    the answer breaks off in the middle
# torn up: the request breaks off in the middle
Line = Literal["open", "cut", "hang", "slow", "lost", "torn", "torn up"]
_LATE = 1.5  # seconds
_PART = 65536  # bytes


class Proxy:
    """Listens on a port of its own and forwards to the target. One request per connection, as our client does."""

    def __init__(self) -> None:
        self._target, self._line = 0, "open"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._mended, self._threads = threading.Event(), list[threading.Thread]()
        self._accepting = threading.Thread(target=self._accept)

    def lead_to(self, port: int) -> None:
        self._target = port

    def set(self, line: Line) -> None:
        """Sets the behaviour of new connections, and releases those that hang."""
        self._line = line
        self._mended.set()
        self._mended = threading.Event()

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.set("cut")
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(caller, self._line, self._mended))
            self._threads.append(thread)
            thread.start()

    def _serve(self, caller: socket.socket, line: str, mended: threading.Event) -> None:
        with caller, suppress(OSError):
            if line in ("hang", "slow"):
                mended.wait(_LATE if line == "slow" else None)
            if line in ("cut", "hang"):
                return _break_off(caller)
            with socket.create_connection(("127.0.0.1", self._target), timeout=30) as server:
                bringing = threading.Thread(target=_bring, args=(caller, server, line == "torn up"))
                bringing.start()
                answer = _read(server)
                with suppress(OSError):
                    # wakes the sending thread: a socket that a thread reads is never closed
                    caller.shutdown(socket.SHUT_RD)
                bringing.join()
            caller.sendall({"lost": b"", "torn": answer[: len(answer) // 2]}.get(line, answer))
            if line in ("lost", "torn", "torn up"):
                _break_off(caller)


def _bring(caller: socket.socket, server: socket.socket, torn: bool) -> None:
    """Forwards the request, or half of it if `torn`."""
    with suppress(OSError):
        while part := caller.recv(_PART):
            if torn:
                server.sendall(part[: len(part) // 2])
                return server.shutdown(socket.SHUT_RDWR)
            server.sendall(part)


def _read(server: socket.socket) -> bytes:
    """Returns the whole answer; the server closes the connection after it."""
    parts = []
    with suppress(OSError):
        while part := server.recv(_PART):
            parts.append(part)
    return b"".join(parts)


def _break_off(caller: socket.socket) -> None:
    """Resets the connection, as if the line had been cut: the other side gets RST instead of an orderly end."""
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()
