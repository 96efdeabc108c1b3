"""Peers of which one speaks an older version of the protocol: the others have a message type that it does not know, and
unknown members in every message. Nothing may be lost by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from unittest import mock

from sqlalchemy import select

from commensal import Transaction
from commensal_federation.delivery import post
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.messages import envelope
from commensal_federation.messages.members import text
from commensal_federation.messages.types import Handler, MessageType, Reading, Received, Writing
from commensal_federation.peers.tables import federation_peer
from commensal_federation.runtime import Binding, Federation

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
    """A message of the newer version only."""

    weather: str


def _write(body: Forecast, writing: Writing) -> dict[str, Any]:
    return {"type": "Forecast", "weather": body.weather}


def _read(document: Mapping[str, Any], reading: Reading) -> Forecast:
    return Forecast(text(document, "weather"))


def _handle(federation: Federation, tx: Transaction, received: Received[Any]) -> None:
    """It only has to be known."""


FORECAST = MessageType(name="Forecast", lane="order", scope=None, body=Forecast, write=_write, read=_read)


def teach(simulation: Simulation, node: Node) -> None:
    """Teaches a started node its version, if the plan has an older one."""
    if simulation.plan.older is not None and not node.older:
        messages = cast(dict[str, Binding], node.federation.messages)
        messages[FORECAST.name] = Binding(FORECAST, Handler(_handle), "federation")


def speak(simulation: Simulation, patches: ExitStack) -> None:
    """Until the patches end, each node speaks its version, if the plan has an older one."""
    if simulation.plan.older is None:
        return
    sign = now(envelope, "sign")

    def sign_with_newer_members(document: Mapping[str, Any], *args: Any) -> Any:
        if _is_newer(simulation):
            document = {**document, "mood": "new", "object": _with_more(document["object"])}
        return sign(document, *args)

    for node in simulation.nodes.values():
        teach(simulation, node)
    patches.enter_context(mock.patch.object(envelope, "sign", sign_with_newer_members))


_FORECAST = "https://commensal.example/ns/federation/v1#forecast"


def _with_more(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Adds members unknown to the older version: to the object, and to each thing in it that has an id."""
    things = [{**node, _FORECAST: "rain"} if ":/" in node.get("@id", "") else node for node in body.get("@graph", ())]
    return {**body, "forecast": "rain", **({"@graph": things} if things else {})}


def tell_weather(node: Node) -> str:
    """Sends a forecast to all peers."""
    with node.instance.store.write() as tx:
        peer = federation_peer.c
        peers = tx.all(select(peer.id).where(peer.state == "accepted").order_by(peer.id))
        for row in peers:
            post(node.federation, tx, row["id"], "Forecast", Forecast("sun"))
    return f"to {len(peers)}"


def mistaken(simulation: Simulation, node: Node) -> Iterator[str]:
    """A node that knows the type has the message; for others it is a dead letter that says why. It stays one if a late
    copy of it came to a node that was upgraded in the meantime.
    """
    with node.disk.read() as tx:
        sent_rows = tx.all(_FORECASTS)
    for row in sent_rows:
        other = simulation.node_at(row["iri"].removesuffix("/.well-known/commensal"))
        with other.disk.read() as tx:
            received = tx.first(select(federation_inbox.c.id).where(federation_inbox.c.id == row["id"])) is not None
        is_unknown = row["state"] == "dead" and row["error"].startswith("type:")
        is_right = (
            received if row["state"] == "delivered" else is_unknown and (not received or simulation.figures["upgrades"])
        )
        if not is_right:
            yield f"{node.name} has told {other.name} of the weather: {row['state']} {row['error']}, known: {received}"


def _is_newer(simulation: Simulation) -> bool:
    return bool(simulation.running) and not simulation.running[-1].older
