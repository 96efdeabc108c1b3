"""The servers that the demo starts: on their own ports, and distinguished from other servers."""

from __future__ import annotations

import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from commensal.base.errors import Trouble
from commensal.parts.demo.neighbours import Running, port_of, reserve_ports
from commensal.parts.setup.begin import begin_instance


def test_a_taken_port_leads_to_a_free_one_and_a_reserved_one_is_nobody_elses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = port_of(occupied)
        reserved = reserve_ports(port, 1)
        assert port_of(reserved[0]) != port
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port_of(reserved[0])))
        reserved[0].close()


def test_free_ports_are_as_many_as_are_asked_for() -> None:
    reserved = reserve_ports(0, 3)
    assert len(set(map(port_of, reserved))) == 3
    for listener in reserved:
        listener.close()


class _AnswersOk(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.long  # seconds
def test_somebody_elses_server_at_the_address_is_not_taken_for_ours(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _AnswersOk) as foreign_server:
        threading.Thread(target=foreign_server.serve_forever).start()
        begin_instance(tmp_path / "val", name="Val", port=foreign_server.server_port, plugins=())
        processes = Running([tmp_path / "val"], [foreign_server.socket.dup()], Console())
        with pytest.raises(Trouble, match=f"Port {foreign_server.server_port} of 127.0.0.1 cannot be used"):
            processes.start(0)
        processes.stop(0)
        foreign_server.shutdown()


@pytest.mark.long  # seconds
def test_a_server_that_ends_by_itself_ends_the_demo_with_its_last_lines(tmp_path: Path) -> None:
    begin_instance(tmp_path / "val", name="Val", plugins=())
    reserved = reserve_ports(0, 1)
    (tmp_path / "val" / "instance.toml").write_text(f'name = "Val"\nserver = {{ port = {port_of(reserved[0])} }}\n')
    processes = Running([tmp_path / "val"], reserved, Console())
    processes.start(0)
    processes._processes[0].send_signal(signal.SIGABRT)
    with pytest.raises(Trouble, match="Its log ends like this:\nServing on"):
        processes.wait()
