"""Costs of messages between instances.

python -m tests.benchmarks.federation_inbox [MESSAGES]

Two instances in one process on SQLite files. One sends small notes that are only stored; the other takes them by its
real route (ASGI, without a socket). Rates are per second of processor time, so of one core.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.base.logs import configure_logs
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import work_of
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.delivery import post
from commensal_federation.delivery.calling import NDJSON
from commensal_federation.delivery.sync.pulling import pull_lane
from commensal_federation.delivery.tables import federation_lane, federation_outbox
from commensal_federation.handlers import HANDLERS
from commensal_federation.identity import begin_identity, current_key
from commensal_federation.messages import Handler, MessageType
from commensal_federation.messages.members import text
from commensal_federation.peers.changing import change_peer
from commensal_federation.signing import sign_request
from commensal_federation.testing import Region, region_of
from commensal_federation.transport import Request

from .machine import machine

MESSAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
BATCH = 50
RUBBISH = 1000


@dataclass(frozen=True)
class Note:
    text: str


NOTE = MessageType(
    name="Note",
    lane="catalogue",
    scope="catalogue.read",
    body=Note,
    write=lambda body, writing: {"text": body.text},
    read=lambda document, reading: Note(text(document, "text")),
)
HANDLERS[NOTE] = Handler(lambda federation, tx, received: None)


def main() -> None:
    print(machine("starlette", "sqlalchemy", "cryptography"))
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder, (Path(folder) / "log").open("w") as log:
        configure_logs(log, format="json")  # writing lines is part of the cost, and figures are not lost among them
        region = _region(Path(folder))
        _measure("posted (signed, queued) a second and core", MESSAGES, lambda: _post(region))
        requests = _requests(region)
        app = make_app(region["b"].instance)
        loop = asyncio.new_event_loop()
        _measure(
            f"taken in by batches of {BATCH} (verified, stored, handled) a second and core",
            MESSAGES,
            lambda: [loop.run_until_complete(_call(app, request, 202)) for request in requests],
        )
        _rubbish(region, app, loop, requests)
        _forget(region)
        peer = region.peer("b", "a")
        _measure(
            "caught up by pull (both sides' work) a second and core",
            MESSAGES,
            lambda: pull_lane(region["b"], peer.id, "catalogue"),
        )
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        for federation in region.members.values():
            federation.instance.close()


def _region(folder: Path) -> Region:
    clock, instances = ManualClock(NOON), Instances(folder)
    opened = [
        (name, instances.open(folder / name, Plan(plugins=("federation",)), clock=clock, name=name, base_url=base))
        for name, base in (("a", "https://a.example"), ("b", "https://b.example"))
    ]
    works = {id(instance): work_of(instance) for _, instance in opened}
    region = region_of(opened, lambda instance: run_due(instance, works[id(instance)]))
    for federation in region.members.values():
        begin_identity(federation)
    region.befriend("a", "b")
    with region["b"].instance.store.write() as tx:
        change_peer(tx, region.peer("b", "a").id, limits={"messages": 10**9, "size": 10**12})
    return region


def _post(region: Region) -> None:
    a, peer = region["a"], region.peer("a", "b")
    for start in range(0, MESSAGES, BATCH):
        with a.instance.store.write() as tx:
            for number in range(start, start + BATCH):
                post(a, tx, peer.id, "Note", Note(f"a small note, number {number}"))


def _requests(region: Region) -> Sequence[Request]:
    a, box = region["a"], federation_outbox.c
    with a.instance.store.read() as tx:
        key = current_key(a, tx)
        query = select(box.body).where(box.type == "Note").order_by(box.seq)
        bodies = [row["body"].encode() for row in tx.all(query)]
    url = f"{region['b'].base}/-/federation/inbox"
    return [
        sign_request(
            Request("POST", url, [("content-type", NDJSON)], b"\n".join(bodies[start : start + BATCH])),
            key,
            NOON,
            a.instance.ids.secret(),
        )
        for start in range(0, len(bodies), BATCH)
    ]


async def _call(app: Any, request: Request, expected: int, client: str = "192.0.2.1") -> None:
    parts = urlsplit(request.url)
    headers = [(name.encode(), value.encode()) for name, value in request.headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [*headers, (b"content-length", str(len(request.body)).encode())],
        "client": (client, 1),
        "server": ("b.example", 443),
        "scheme": "https",
        "root_path": "",
    }
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    assert statuses == [expected], statuses


def _rubbish(region: Region, app: Any, loop: asyncio.AbstractEventLoop, requests: Sequence[Request]) -> None:
    """Kinds of rubbish, each as fast as it is refused: the first from ever new addresses, the last from one."""
    size = len(requests[0].body)
    stranger = replace(
        requests[0], headers=[(name, value.replace("a.example", "c.example")) for name, value in requests[0].headers]
    )
    forged = replace(requests[0], body=b"x" * size)
    for label, request in (
        ("refused: a key that nobody knows, from ever new addresses", stranger),
        ("refused: a batch that does not fit its signature, from ever new addresses", forged),
    ):
        _measure(f"{label}, a second and core", RUBBISH, partial(_flood, app, loop, request))
    loop.run_until_complete(_at_once(_any(app, forged) for _ in range(100)))
    _measure(
        "refused: an address that was refused before, a second and core",
        RUBBISH,
        lambda: loop.run_until_complete(_at_once(_call(app, forged, 429, "203.0.113.9") for _ in range(RUBBISH))),
    )


def _flood(app: Any, loop: asyncio.AbstractEventLoop, request: Request) -> None:
    for n in range(RUBBISH):
        loop.run_until_complete(_call(app, request, 401, f"198.51.{n // 250}.{n % 250}"))


async def _any(app: Any, request: Request) -> None:
    try:
        await _call(app, request, 401, "203.0.113.9")
    except AssertionError:
        return  # 429 by now


async def _at_once(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """In parallel, since repeated refusals are delayed for some seconds each."""
    await asyncio.gather(*calls)


def _forget(region: Region) -> None:
    """Makes b forget the lane, as if it had been away."""
    with region["b"].instance.store.write() as tx:
        tx.connection.exec_driver_sql("DELETE FROM federation_inbox WHERE lane = 'catalogue'")
        empty_lane = {"seq": 0, "top": 0, "hash": "", "promised": False}
        tx.execute(update(federation_lane).where(federation_lane.c.direction == "in"), empty_lane)


def _measure(label: str, number: int, action: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    cpu_each, wall_each = 1e6 * cpu / number, 1e6 * wall / number
    print(f"{number / cpu:>8.0f} {label}  ({cpu_each:.0f} µs of processor, {wall_each:.0f} µs of clock)")


if __name__ == "__main__":
    main()
