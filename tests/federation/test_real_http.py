"""Two instances that serve on loopback with their own workers, with nothing but HTTP between them."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commensal import Conflict
from commensal.testing.instances import Instances, Plan
from commensal_federation.delivery import post
from commensal_federation.handlers import HANDLERS
from commensal_federation.identity import begin_identity
from commensal_federation.peering import accept, invite, requests
from commensal_federation.peers import SCOPES, peer_by_iri
from commensal_federation.peers.changing import new_peer
from commensal_federation.runtime import Federation, federation_of

from ..ports import free_ports
from .serving import serving


def test_instances_agree_and_talk_over_http(tmp_path: Path, notes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack 18 as well: loopback is reached because the operators allow it, and only there."""
    ports = free_ports(2)
    reaching = tuple(f"127.0.0.1:{port}" for port in ports)
    note_handled, request_stored, accept_handled = threading.Event(), threading.Event(), threading.Event()
    _set_when_handled(monkeypatch, "OrderNote", note_handled)
    _set_when_handled(monkeypatch, "PeerAccept", accept_handled)
    monkeypatch.setattr(requests, "new_peer", _set_after(request_stored))
    federations, instances = list[Federation](), Instances(tmp_path)
    with ExitStack() as stack:
        for name, port in zip("ab", ports, strict=True):
            instance = instances.open(
                tmp_path / name,
                Plan(plugins=("federation",)),
                base_url=f"http://127.0.0.1:{port}",
                name=name,
                reaching=reaching,
            )
            stack.callback(instance.close)
            federations.append(federation_of(instance))
            begin_identity(federations[-1])
            stack.enter_context(serving(instance, port))
        a, b = federations
        invite(a, b.base, SCOPES)
        assert request_stored.wait(30)
        accept(b, _peer(b, a), SCOPES)
        assert accept_handled.wait(30)
        peer_id = _peer(a, b)
        with a.instance.store.write() as tx:
            post(a, tx, peer_id, "OrderNote", notes.type("OrderNote", "order", "").body("over the wire"))
        assert note_handled.wait(30)
        assert notes.at(b) == ["over the wire"]


def test_who_names_an_address_where_nothing_answers_reads_what_to_do(tmp_path: Path) -> None:
    """Over real sockets: one port is closed, the other closes each connection."""
    closed, dropping = free_ports(2)
    reaching = tuple(f"127.0.0.1:{port}" for port in (closed, dropping))
    with (
        Instances(tmp_path).open(tmp_path / "a", Plan(plugins=("federation",)), reaching=reaching) as instance,
        socket.create_server(("127.0.0.1", dropping)) as server,
    ):
        federation = federation_of(instance)
        begin_identity(federation)
        with pytest.raises(Conflict) as nothing_there:
            invite(federation, f"http://127.0.0.1:{closed}", SCOPES)
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        with pytest.raises(Conflict) as broken_off:
            invite(federation, f"http://127.0.0.1:{dropping}", SCOPES)
    assert str(nothing_there.value).startswith(f"Nothing answers at http://127.0.0.1:{closed}. Check the address")
    assert str(broken_off.value).startswith(f"http://127.0.0.1:{dropping} cannot be reached at the moment.")
    assert "Error" not in str(nothing_there.value) + str(broken_off.value)


def _peer(at: Federation, of: Federation) -> str:
    for _ in range(100):  # the transaction that stores the peer may be about to commit
        with at.instance.store.write() as tx:  # waits for its turn
            peer = peer_by_iri(tx, of.iri)
        if peer is not None and peer.state != "invited":
            return peer.id
    raise AssertionError("no peer")


def _set_when_handled(monkeypatch: pytest.MonkeyPatch, name: str, event: threading.Event) -> None:
    message_type = next(message_type for message_type in HANDLERS if message_type.name == name)
    handler = HANDLERS[message_type]

    def handle(*args: Any) -> None:
        handler.handle(*args)
        event.set()

    monkeypatch.setitem(HANDLERS, message_type, replace(handler, handle=handle))


def _set_after(event: threading.Event) -> Any:
    def new_peer_and_set(*args: Any, **kwargs: Any) -> str:
        id = new_peer(*args, **kwargs)
        event.set()
        return id

    return new_peer_and_set
