"""Peers of which one speaks a protocol one version older: the others have a type of message that it does not know, and
members in every message that it has never heard of. Nothing may be lost by that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

from sqlalchemy import select

from commensal import Transaction
from commensal_federation.bindings import Binding
from commensal_federation.delivery import post
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.messages import envelope
from commensal_federation.messages.reading import text
from commensal_federation.messages.types import Handler, MessageType, Reading, Received, Writing
from commensal_federation.peers.tables import federation_peer
from commensal_federation.runtime import Federation

from .nodes import Node
from .planting import now

if TYPE_CHECKING:
    from .simulation import Simulation

_out = federation_outbox.c
_FORECASTS = (
    select(_out.id, _out.state, _out.error, federation_peer.c.iri)
    .join(federation_peer)
    .where(_out.type == "Forecast", _out.state != "waiting", ~_out.recovered)
)


@dataclass(frozen=True)
class Forecast:
    """What only the newer version speaks."""

    weather: str


def _write(body: Forecast, writing: Writing) -> dict[str, Any]:
    return {"type": "Forecast", "weather": body.weather}


def _read(document: Mapping[str, Any], reading: Reading) -> Forecast:
    return Forecast(text(document, "weather"))


def _handle(federation: Federation, tx: Transaction, received: Received) -> None:
    """It is known, and that is all."""


FORECAST = MessageType(name="Forecast", lane="order", scope=None, body=Forecast, write=_write, read=_read)


def teach(simulation: Simulation, node: Node) -> None:
    """A node that has started speaks its version, where the plan has an older one at all."""
    if simulation.plan.older is not None and not node.older:
        messages = cast(dict[str, Binding], node.federation.messages)
        messages[FORECAST.name] = Binding(FORECAST, Handler(_handle), "federation")


def speak(simulation: Simulation, patches: ExitStack) -> None:
    """Until the patches end, each node speaks its version, where the plan has an older one at all."""
    if simulation.plan.older is None:
        return
    sign = now(envelope, "sign")

    def signed(document: Mapping[str, Any], *more: Any) -> Any:
        if _is_newer(simulation):
            document = {**document, "mood": "new", "object": _with_more(document["object"])}
        return sign(document, *more)

    for node in simulation.nodes.values():
        teach(simulation, node)
    patches.enter_context(mock.patch.object(envelope, "sign", signed))


_FORECAST = "https://commensal.example/ns/federation/v1#forecast"


def _with_more(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Members that the older version has never heard of: of the object, and of each thing in it that has a name."""
    things = [{**node, _FORECAST: "rain"} if ":/" in node.get("@id", "") else node for node in body.get("@graph", ())]
    return {**body, "forecast": "rain", **({"@graph": things} if things else {})}


def tell_weather(node: Node) -> str:
    """To everybody with whom it trades."""
    with node.instance.store.write() as tx:
        peer = federation_peer.c
        peers = tx.all(select(peer.id).where(peer.state == "accepted").order_by(peer.id))
        for row in peers:
            post(node.federation, tx, row["id"], "Forecast", Forecast("sun"))
    return f"to {len(peers)}"


def mistaken(simulation: Simulation, node: Node) -> Iterator[str]:
    """Whoever knows the type has it; to whoever does not, it is a dead letter, and says why. It stays one where a late
    copy of it came to a node that had been upgraded meanwhile."""
    with node.disk.read() as tx:
        told = tx.all(_FORECASTS)
    for row in told:
        other = simulation.node_at(row["iri"].removesuffix("/.well-known/commensal"))
        with other.disk.read() as tx:
            has = tx.first(select(federation_inbox.c.id).where(federation_inbox.c.id == row["id"])) is not None
        unknown = row["state"] == "dead" and row["error"].startswith("type:")
        right = has if row["state"] == "delivered" else unknown and (not has or simulation.figures["upgrades"])
        if not right:
            yield f"{node.name} has told {other.name} of the weather: {row['state']} {row['error']}, known: {has}"


def _is_newer(simulation: Simulation) -> bool:
    return bool(simulation.running) and not simulation.running[-1].older
