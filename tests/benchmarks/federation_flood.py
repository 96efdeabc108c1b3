"""Costs of a peer that sends rubbish at full speed, for the others.

python -m tests.benchmarks.federation_flood [SECONDS [KIND …]]

`commensal serve` runs in its own process on loopback. A good peer pushes signed batches of small messages from
127.0.0.2, first alone, then while a bad one fills connections of 127.0.0.3 with one kind of rubbish. The server's
processor time counts: the good peer cannot have what the flood takes. Rounds take turns.
"""

from __future__ import annotations

import http.client
import multiprocessing
import secrets
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from commensal.instance import open_instance
from commensal.parts.serving.work import work_of
from commensal.parts.setup.begin import begin_instance
from commensal.storage.jobs.run import run_due
from commensal_federation.delivery import post
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.identity import begin_identity, current_key
from commensal_federation.messages.peering import StateDigest
from commensal_federation.peers.changing import change_peer
from commensal_federation.runtime import Federation
from commensal_federation.signing import SigningKey, sign_request
from commensal_federation.testing import Region, region_of
from commensal_federation.transport import Request

from .machine import machine
from .stand import Server, serving

Counted = Any  # an integer that processes share
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0  # of each round
BATCH, BATCHES, CONNECTIONS, ROUNDS = 50, 200, 64, 3
GOOD, BAD = "127.0.0.2", "127.0.0.3"


@dataclass(frozen=True)
class Kind:
    """A kind of rubbish: a whole request, as bytes."""

    name: str
    raw: bytes


def main() -> None:
    print(machine("starlette", "uvicorn", "cryptography"))
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as name:
        region = _region(Path(name))
        bodies, key, kinds = _bodies(region), _key(region["good"]), _kinds(_key(region["bad"]))
        for federation in region.members.values():
            federation.instance.close()
        with serving(Path(name) / "hub", "--no-jobs") as server:
            good = Good(server, key, bodies)
            good.run(min(SECONDS, 3))  # to warm up
            names = sys.argv[2:] or [kind.name for kind in kinds]
            for kind in kinds:
                if kind.name in names:
                    _compare(server, good, kind)


def _compare(server: Server, good: Good, kind: Kind) -> None:
    """Compares medians of rounds: messages of the good peer for each second of the server's processor time."""
    rates_alone, rates_in_flood, shares, refused = list[float](), list[float](), list[float](), 0
    for _ in range(ROUNDS):
        rates_alone.append(good.run(SECONDS))
        with flooding(server, kind) as flood:
            assert flood.value, "the flood has not begun"
            started, cpu = time.perf_counter(), server.cpu()
            time.sleep(SECONDS)
            shares.append((server.cpu() - cpu) / (time.perf_counter() - started))
            rates_in_flood.append(good.run(SECONDS))
        refused += flood.value
    alone, in_flood, share = (sorted(series)[ROUNDS // 2] for series in (rates_alone, rates_in_flood, shares))
    print(
        f"{kind.name}: {alone:.0f} messages for a second of processor alone, {in_flood:.0f} beside the flood "
        f"({1 - in_flood / alone:+.1%}); the flood by itself takes {share:.1%} of a core, {refused} refusals seen"
    )


class Good:
    """The well-behaved peer. It begins again after its last message: each is verified, and already known."""

    def __init__(self, server: Server, key: SigningKey, bodies: list[bytes]) -> None:
        self._server, self._key, self._bodies, self._next = server, key, bodies, 0
        self._at = urlsplit(server.address)

    def run(self, seconds: float) -> float:
        """Returns the messages taken for each second of the server's processor time, over `seconds`."""
        started, cpu, sent = time.perf_counter(), self._server.cpu(), 0
        connection = _connect(self._at.hostname or "", self._at.port or 0, GOOD)
        while time.perf_counter() - started < seconds:
            connection.sendall(_raw(self._key, self._bodies[self._next % len(self._bodies)]))
            self._next += 1
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            body = answer.read()
            assert answer.status == 202, (answer.status, body)
            sent += BATCH
        connection.close()
        return sent / (self._server.cpu() - cpu)


@contextmanager
def flooding(server: Server, kind: Kind) -> Iterator[Counted]:
    """A process whose connections each send the rubbish again as soon as it is refused or the connection is closed."""
    context = multiprocessing.get_context("spawn")
    stop, refused = context.Event(), context.Value("i", 0)
    process = context.Process(target=_flood, args=(server.address, kind.raw, stop, refused))
    process.start()
    try:
        while not refused.value and process.is_alive():
            time.sleep(0.1)
        time.sleep(2)  # until it is refused as quickly as possible
        yield refused
    finally:
        stop.set()
        process.join(20)
        process.terminate()


def _flood(
    address: str, raw: bytes, stop: threading.Event, refused: multiprocessing.sharedctypes.Synchronized[int]
) -> None:
    url = urlsplit(address)

    def run() -> None:
        while not stop.is_set():
            with suppress(OSError):
                connection = _connect(url.hostname or "", url.port or 0, BAD)
                connection.settimeout(8)
                while not stop.is_set():
                    connection.sendall(raw)
                    answer = connection.recv(65536)
                    if not answer:
                        break
                    with refused.get_lock():
                        refused.value += 1
                    if b"connection: close" in answer.lower():
                        break
                connection.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    stop.wait()


def _connect(host: str, port: int, source: str) -> socket.socket:
    connection = socket.create_connection((host, port), source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


# ------------------------------------------------------------------------------------------------ the instances


def _region(folder: Path) -> Region:
    """A hub, a good peer and a bad one, which became peers by wires."""
    instances = []
    for name in ("hub", "good", "bad"):
        begin_instance(folder / name, name=name, base_url=f"https://{name}.example", plugins=("federation",))
        if name == "hub":
            with (folder / name / "instance.toml").open("a") as settings:
                settings.write("\n[limits]\nreads = 1000000000\nwrites = 1000000000\nlogins = 1000000000\n")
        instances.append((name, open_instance(folder / name)))
    works = {id(instance): work_of(instance) for _, instance in instances}
    region = region_of(instances, lambda instance: run_due(instance, works[id(instance)]))
    for federation in region.members.values():
        begin_identity(federation)
    region.befriend("hub", "good")
    region.befriend("hub", "bad")
    with region["hub"].instance.store.write() as tx:
        change_peer(tx, region.peer("hub", "good").id, limits={"messages": 10**9, "size": 10**12})
    return region


def _bodies(region: Region) -> list[bytes]:
    """Batches of small messages that cause no answer."""
    good, peer = region["good"], region.peer("good", "hub")
    for _ in range(BATCHES):
        with good.instance.store.write() as tx:
            for _ in range(BATCH):
                post(good, tx, peer.id, "StateDigest", StateDigest("none", "none", "0" * 64))
    box = federation_outbox.c
    with good.instance.store.read() as tx:
        rows = tx.all(select(box.body).where(box.type == "StateDigest").order_by(box.epoch, box.seq))
    bodies = [row["body"].encode() for row in rows]
    return [b"\n".join(bodies[start : start + BATCH]) for start in range(0, len(bodies), BATCH)]


def _key(federation: Federation) -> SigningKey:
    with federation.instance.store.read() as tx:
        return current_key(federation, tx)


def _kinds(key: SigningKey) -> list[Kind]:
    rubbish = b"x" * 2000
    stranger = _raw(key, rubbish).replace(b"bad.example", b"nobody.example")
    return [
        Kind("a key that nobody knows", stranger),
        Kind("a body that does not fit its signature", _raw(key, rubbish)[:-1] + b"y"),
        Kind("the same, of 40 KB", _raw(key, rubbish * 20)[:-1] + b"y"),
        Kind("a batch that is signed and says nothing", _raw(key, b"\n".join([b"{}"] * BATCH))),
    ]


def _raw(key: SigningKey, body: bytes) -> bytes:
    """A request signed by this key just now."""
    unsigned = Request(
        "POST", "https://hub.example/-/federation/inbox", [("content-type", "application/x-ndjson")], body
    )
    signed = sign_request(unsigned, key, datetime.now(UTC), secrets.token_urlsafe(24))
    head = [f"{name}: {value}" for name, value in (("host", "hub"), ("content-length", len(body)), *signed.headers)]
    return "\r\n".join(["POST /-/federation/inbox HTTP/1.1", *head, "", ""]).encode() + body


if __name__ == "__main__":
    main()
