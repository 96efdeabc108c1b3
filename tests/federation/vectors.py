"""Two instances become peers and trade a first lease: all requests and answers, byte for byte, for other
implementations.

They are `federation/vectors/join-and-first-lease.json`, which `make generated` writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commensal.base.clock import ManualClock
from commensal.parts.serving.work import work_of
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation.identity import begin_identity
from commensal_federation.identity.keys import file_of, folder_of
from commensal_federation.signing import SigningKey
from commensal_federation.testing import Region, region_of

from .trading import Hub, Producer

SEEDS = {
    "farm": {"root": 0x01, "k1": 0x14, "k2": 0x03},
    "hub": {"root": 0x04, "k1": 0x13, "k2": 0x05},
}  # byte of which each private key consists, 32 times


def conversation(folder: Path) -> dict[str, Any]:
    """The seeds of the keys, and every request with its answer, in order."""
    instances, clock = Instances(folder), ManualClock(NOON)
    with ExitStack() as stack:
        by_name = {}
        for name, seeds in SEEDS.items():
            base = f"https://{name}.example"
            by_name[name] = instances.open(
                folder / name, Plan(plugins=("federation",)), clock=clock, base_url=base, name=name
            )
            stack.callback(by_name[name].close)
            _keep_keys(folder / name, seeds)
        works = {id(instance): work_of(instance) for instance in by_name.values()}
        region = region_of(by_name.items(), lambda instance: run_due(instance, works[id(instance)]))
        for federation in region.members.values():
            begin_identity(federation)
        _trade(region)
        return {
            "privateKeys": {
                f"{region[name].iri}#{key}": bytes([seed] * 32).hex()
                for name, seeds in SEEDS.items()
                for key, seed in seeds.items()
            },
            "exchanges": list(_exchanges(region)),
        }


def _trade(region: Region) -> None:
    """The hub asks to trade, the farm agrees and grants; a customer of the hub orders three crates of apples."""
    farm, hub = Producer(region, "farm"), Hub(region, "hub")
    region.befriend("hub", "farm", ("catalogue.read", "order.place", "stock.lease"))
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)


def _keep_keys(folder: Path, seeds: dict[str, int]) -> None:
    keys = folder_of(folder)
    keys.mkdir(mode=0o700)
    for name, seed in seeds.items():
        private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        file_of(keys, name).write_text(SigningKey("", private).secret())
        file_of(keys, name).chmod(0o600)


def _exchanges(region: Region) -> Iterator[dict[str, Any]]:
    for origin, request, answer in region.wires.passed:
        yield {
            "from": origin,
            "method": request.method,
            "url": request.url,
            "headers": request.headers,
            "body": request.body.decode(),
            "answer": {"status": answer.status, "headers": answer.headers, "body": answer.body.decode()},
        }


def text() -> str:
    """The vectors as JSON, as they stand in their file."""
    with TemporaryDirectory() as folder:
        return json.dumps(conversation(Path(folder)), indent=1, ensure_ascii=False) + "\n"
