"""Two instances that serve on loopback, with their own workers: nothing is in between but HTTP."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commensal.testing.instances import Instances, Plan
from commensal_federation.delivery import post
from commensal_federation.handlers import HANDLERS
from commensal_federation.identity import begin_identity
from commensal_federation.peering import accept, invite, requests
from commensal_federation.peers import SCOPES, peer_by_iri
from commensal_federation.peers.changing import new_peer
from commensal_federation.runtime import Federation, federation_of

from .serving import free_ports, serving


def test_instances_agree_and_talk_over_http(tmp_path: Path, notes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack 18 besides: loopback is reached because the operators allow it, and only there."""
    ports = free_ports()
    reaching = tuple(f"127.0.0.1:{port}" for port in ports)
    came, asked, agreed = threading.Event(), threading.Event(), threading.Event()
    _set_when_handled(monkeypatch, "OrderNote", came)
    _set_when_handled(monkeypatch, "PeerAccept", agreed)
    monkeypatch.setattr(requests, "new_peer", _set_after(asked))
    opened, instances = list[Federation](), Instances(tmp_path)
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
            opened.append(federation_of(instance))
            begin_identity(opened[-1])
            stack.enter_context(serving(instance, port))
        a, b = opened
        invite(a, b.base, SCOPES)
        assert asked.wait(30)
        accept(b, _peer(b, a), SCOPES)
        assert agreed.wait(30)
        mine = _peer(a, b)
        with a.instance.store.write() as tx:
            post(a, tx, mine, "OrderNote", notes.type("OrderNote", "order", "").body("over the wire"))
        assert came.wait(30)
        assert notes.at(b) == ["over the wire"]


def _peer(at: Federation, of: Federation) -> str:
    for _ in range(100):  # what made it is in a transaction that may be about to commit
        with at.instance.store.write() as tx:  # waits for its turn
            found = peer_by_iri(tx, of.iri)
        if found is not None and found.state != "invited":
            return found.id
    raise AssertionError("no peer")


def _set_when_handled(monkeypatch: pytest.MonkeyPatch, name: str, event: threading.Event) -> None:
    message_type = next(message_type for message_type in HANDLERS if message_type.name == name)
    known = HANDLERS[message_type]

    def handle(*given: Any) -> None:
        known.handle(*given)
        event.set()

    monkeypatch.setitem(HANDLERS, message_type, replace(known, handle=handle))


def _set_after(event: threading.Event) -> Any:
    def made(*given: Any, **more: Any) -> str:
        id = new_peer(*given, **more)
        event.set()
        return id

    return made
