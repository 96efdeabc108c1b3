"""A TCP proxy before an instance, which does to requests and answers what bad lines do."""

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
    """Listens on a port of its own, for whatever it leads to. Calls last for one request each, as ours do."""

    def __init__(self) -> None:
        self._target, self._line = 0, "open"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._mended, self._threads = threading.Event(), list[threading.Thread]()
        self._accepting = threading.Thread(target=self._accept)

    def lead_to(self, port: int) -> None:
        self._target = port

    def set(self, line: Line) -> None:
        """Calls that come from now on fare so; those that hang are let go."""
        self._line = line
        self._mended.set()
        self._mended = threading.Event()

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.set("cut")
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
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
                    caller.shutdown(socket.SHUT_RD)  # wakes who brings: a socket that somebody reads is never closed
                bringing.join()
            caller.sendall({"lost": b"", "torn": answer[: len(answer) // 2]}.get(line, answer))
            if line in ("lost", "torn", "torn up"):
                _break_off(caller)


def _bring(caller: socket.socket, server: socket.socket, torn: bool) -> None:
    """The request, as far as it comes."""
    with suppress(OSError):
        while part := caller.recv(_PART):
            if torn:
                server.sendall(part[: len(part) // 2])
                return server.shutdown(socket.SHUT_RDWR)
            server.sendall(part)


def _read(server: socket.socket) -> bytes:
    """The whole answer: whoever gave it hangs up then."""
    parts = []
    with suppress(OSError):
        while part := server.recv(_PART):
            parts.append(part)
    return b"".join(parts)


def _break_off(caller: socket.socket) -> None:
    """As if the line had been cut: the other side is told by RST, and not that all is well."""
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()
