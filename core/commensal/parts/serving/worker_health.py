"""``/-/health`` of a worker, for what watches its process: a container's health check, a monitor on this machine.

It says the status alone and listens on loopback: whoever wants the reasons asks the web server, or `commensal check`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec

from ...base.errors import SettingsError
from ...instance import Instance
from ..monitoring.health import Watcher
from ..monitoring.routes import HEALTH

_SECONDS = 5  # for a client to send its request; one is answered at a time


@contextmanager
def answering(instance: Instance, port: int) -> Iterator[int]:
    """Answers on that port of loopback (0: a free one) until the block ends, and yields the port.

    Raises `SettingsError` if the port cannot be used.
    """
    watcher = Watcher(instance)

    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_GET(self) -> None:
            if self.path != HEALTH:
                self.send_error(404)
                return
            status = watcher.health().status
            body = msgspec.json.encode({"status": status})
            self.send_response(503 if status == "down" else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: monitors ask every few seconds, and changes of health are logged."""

    try:
        server = HTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        text = "Port {port} of {host} cannot be used: {error}. Choose another with --port."
        raise SettingsError(text, port=port, host="127.0.0.1", error=error.strerror) from error
    thread = threading.Thread(target=server.serve_forever, name="worker health")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
