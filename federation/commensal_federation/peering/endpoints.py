"""Endpoints for operators' peers and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec

from commensal import Body, Call, Page, Paging, Routes, changes, page_of, translate

from ..delivery.alerts import Alert, alerts, dismiss_alert
from ..notices import alert_title
from ..peers.fetching import Fetched, fetch_document, iri_of
from ..peers.peers import (
    SCOPES,
    WELL_KNOWN,
    Limits,
    Peer,
    document_fingerprint,
    fingerprint,
    peer_by_id,
    peers,
    refuse_other_fingerprint,
)
from ..runtime import federation_of
from .deciding import (
    Probe,
    change_limits,
    change_scopes,
    confirm_fetched,
    fetch_confirmed,
    go_on_without,
    peer_to_confirm,
    probe,
    resume,
    revoke,
    suspend,
)
from .inviting import accept_fetched, invite_fetched, requested_peer

routes = Routes("federation", where_off=True)

Scopes = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=50)], ...], msgspec.Meta(max_length=20)]
HeardDigits = Annotated[str, msgspec.Meta(pattern=r"^ *([0-9] *){40}$", max_length=100)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
Unset = msgspec.UnsetType


@dataclass(frozen=True, kw_only=True)
class ShownPeer:
    """url:             where the instance is
    fingerprint:     what its operator reads to you before you agree
    state:           invited: it must answer; requested: you must; expired: nobody has; accepted: you trade; suspended;
                     revoked
    expires_at:      when an invitation or request expires that waits for an answer, on both sides
    scopes_given:    what it may do here
    scopes_received: what this instance may do there; while it asks: what it would give
    breaker:         open: it has not answered lately, and is only tried now and then, next at `held_until`
    recovering:      this instance was restored from a backup, and the peer has not given back yet what it knows
    barrier:         so nothing that it may hold is sold or lent
    """

    id: str
    url: str
    name: str
    fingerprint: str
    state: str
    scopes_given: Sequence[str]
    scopes_received: Sequence[str]
    limits: Limits
    created_at: datetime
    expires_at: datetime | None
    accepted_at: datetime | None
    last_seen_at: datetime | None
    breaker: str
    failures: int
    held_until: datetime | None
    recovering: bool
    barrier: bool
    version: int


@dataclass(frozen=True, kw_only=True)
class Probed:
    """`answers`: whether it has taken a signed request. `result`: else "silent", "clock" where the clocks differ,
    "unknown" where it does not know this instance, or "refuses"."""

    answers: bool
    result: Probe


@dataclass(frozen=True, kw_only=True)
class ShownAlert:
    """`title` says in your language what this kind of alert means."""

    title: str
    alert: Alert


class Invitation(Body, frozen=True, kw_only=True):
    """`scopes`: what it may do here; `wanted`: what you would like to do there, usually everything. `fingerprint`: the
    40 digits that the other operator has read to you, as you heard them; its document must have that one, or nothing is
    asked. `look` shows what its address has, which is not enough: whoever has taken the address over shows its own."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    scopes: Scopes
    wanted: Scopes = SCOPES
    fingerprint: HeardDigits


class Acceptance(Body, frozen=True, kw_only=True):
    """`scopes`: what it may do here. `fingerprint`: the 40 digits that the other operator has read to you, as you heard
    them; the document of the instance must have that one, or nothing is agreed."""

    scopes: Scopes
    fingerprint: HeardDigits


class Confirmation(Body, frozen=True, kw_only=True):
    """`fingerprint`: the 40 digits of its new root key that the peer's operator has read to you, as you heard them."""

    fingerprint: HeardDigits


class Address(Body, frozen=True, kw_only=True):
    """`url`: where the instance is."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


@dataclass(frozen=True, kw_only=True)
class SeenInstance:
    """What an instance says of itself now. Compare the `fingerprint` with its operator before you invite it."""

    url: str
    name: str
    fingerprint: str


class NewScopes(Body, frozen=True, kw_only=True):
    scopes: Scopes


class NewLimits(Body, frozen=True, kw_only=True):
    """messages, size: accepted in a minute, and their bytes; open_leases; lot_share, order_share: percent of a lot that
    it may hold unsold, and ask for at once; kept_rows: parked messages and dead letters; kept_size: bytes of its
    messages, in each lane; kept_things: grants, copies, items, proposals, moves and open orders, of each kind."""

    messages: Amount | Unset = msgspec.UNSET
    size: Amount | Unset = msgspec.UNSET
    open_leases: Amount | Unset = msgspec.UNSET
    lot_share: Amount | Unset = msgspec.UNSET
    order_share: Amount | Unset = msgspec.UNSET
    kept_rows: Amount | Unset = msgspec.UNSET
    kept_size: Amount | Unset = msgspec.UNSET
    kept_things: Amount | Unset = msgspec.UNSET


class Ending(Body, frozen=True, kw_only=True):
    """`reason` is for the other's operator."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Looked(Body, frozen=True, kw_only=True):
    """The alert of this peer and kind."""

    peer: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


@routes.get("/peers", scope="operator")
def list_peers(call: Call, query: Paging) -> Page[ShownPeer]:
    """Instances that this one trades with, or that have asked to."""
    peer_page = [to_shown_peer(call, peer) for peer in peers(call.tx, after=query.after, limit=query.limit)]
    return page_of(peer_page, query.limit, lambda peer: peer.id)


@routes.get("/peers/{peer}", scope="operator")
def show_peer(call: Call, peer: str) -> ShownPeer:
    """One peer, with its fingerprint."""
    return to_shown_peer(call, peer_by_id(call.tx, peer))


def _fetch(call: Call, body: Invitation) -> Fetched:
    federation = federation_of(call.instance)
    fetched = fetch_document(federation, iri_of(federation, body.url))
    refuse_other_fingerprint(fetched.document, body.fingerprint)
    return fetched


def _fetch_again(call: Call, peer: str, body: Acceptance) -> Fetched:
    fetched = fetch_document(federation_of(call.instance), requested_peer(call.tx, peer).iri)
    refuse_other_fingerprint(fetched.document, body.fingerprint)
    return fetched


def _look(call: Call, body: Address) -> Fetched:
    federation = federation_of(call.instance)
    return fetch_document(federation, iri_of(federation, body.url))


@routes.post("/peers/look", scope="operator", prepare=_look, untraced="it changes nothing")
def look_at_instance(call: Call, body: Address) -> SeenInstance:
    """Shows the name and the fingerprint of an instance, to be compared before you invite it. Stores nothing."""
    document = call.prepared.document
    return SeenInstance(
        url=document.iri.removesuffix(WELL_KNOWN), name=document.name, fingerprint=document_fingerprint(document)
    )


@routes.post("/peers", scope="operator", status=201, prepare=_fetch)
def add_peer(call: Call, body: Invitation) -> ShownPeer:
    """Asks another instance to trade: its document is fetched and pinned, and its operator must agree."""
    return to_shown_peer(
        call, invite_fetched(federation_of(call.instance), call.tx, call.prepared, body.scopes, body.wanted)
    )


@routes.post("/peers/{peer}/accept", scope="operator", prepare=_fetch_again)
def accept_peer(call: Call, peer: str, body: Acceptance) -> ShownPeer:
    """Agrees to the request of another instance: its document is fetched, and must be the one it asked with, and have
    the fingerprint that you compared with its operator."""
    return to_shown_peer(call, accept_fetched(federation_of(call.instance), call.tx, peer, call.prepared, body.scopes))


def _fetch_confirmed(call: Call, peer: str, body: Confirmation) -> Fetched:
    return fetch_confirmed(federation_of(call.instance), peer_to_confirm(call.tx, peer), body.fingerprint)


@routes.post("/peers/{peer}/confirm-keys", scope="operator", prepare=_fetch_confirmed)
def confirm_peer_keys(call: Call, peer: str, body: Confirmation) -> ShownPeer:
    """Goes on with a peer that has lost its keys and has a new root key, whose fingerprint you have compared."""
    return to_shown_peer(call, confirm_fetched(call.tx, peer, call.prepared))


@routes.put("/peers/{peer}/scopes", scope="operator", edits=True)
def change_peer_scopes(call: Call, peer: str, body: NewScopes) -> ShownPeer:
    """Sets what a peer may do here."""
    return to_shown_peer(call, change_scopes(federation_of(call.instance), call.tx, peer, call.version, body.scopes))


@routes.patch("/peers/{peer}/limits", scope="operator", edits=True)
def change_peer_limits(call: Call, peer: str, body: NewLimits) -> ShownPeer:
    """Sets what a peer may cost."""
    return to_shown_peer(call, change_limits(call.tx, peer, call.version, changes(body)))


@routes.post("/peers/{peer}/suspend", scope="operator")
def suspend_peer(call: Call, peer: str) -> ShownPeer:
    """Nothing of the peer's is taken and nothing goes out to it, from now until it is resumed."""
    return to_shown_peer(call, suspend(call.tx, peer))


@routes.post("/peers/{peer}/resume", scope="operator")
def resume_peer(call: Call, peer: str) -> ShownPeer:
    """Goes on with a peer that was suspended: both sides catch up."""
    return to_shown_peer(call, resume(call.tx, peer))


@routes.post("/peers/{peer}/revoke", scope="operator")
def revoke_peer(call: Call, peer: str, body: Ending) -> ShownPeer:
    """Ends it for good. The other side is told, as far as it can be reached."""
    return to_shown_peer(call, revoke(federation_of(call.instance), call.tx, peer, reason=body.reason))


def _probe(call: Call, peer: str) -> Probe:
    return probe(federation_of(call.instance), peer)


@routes.post("/peers/{peer}/probe", scope="operator", prepare=_probe)
def probe_peer(call: Call, peer: str) -> Probed:
    """Asks the peer now whether it is there, and sends it what waits, without waiting for the next try."""
    return Probed(answers=call.prepared == "answers", result=call.prepared)


@routes.post("/peers/{peer}/go-on-without", scope="operator")
def go_on_without_peer(call: Call, peer: str) -> ShownPeer:
    """After a restore: sells and lends again what this peer may hold, though it has not answered. What it holds all the
    same is sold twice."""
    return to_shown_peer(call, go_on_without(call.tx, peer))


@routes.get("/alerts", scope="operator")
def list_alerts(call: Call) -> Sequence[ShownAlert]:
    """What you should look at: peers that contradict themselves, clocks that differ, messages that were refused."""
    return [
        ShownAlert(title=alert_title(alert.kind, partial(translate, call.language)), alert=alert)
        for alert in alerts(call.tx)
    ]


@routes.post("/alerts/dismiss", scope="operator", status=204)
def dismiss_peer_alert(call: Call, body: Looked) -> None:
    """You have looked at it."""
    dismiss_alert(call.tx, body.peer, body.kind)


def to_shown_peer(call: Call, peer: Peer) -> ShownPeer:
    return ShownPeer(
        id=peer.id,
        url=peer.base,
        name=peer.name,
        fingerprint=fingerprint(peer),
        state=peer.shown_state(call.tx.now),
        scopes_given=sorted(peer.scopes_given),
        scopes_received=sorted(peer.scopes_received),
        limits=peer.limits,
        created_at=peer.created_at,
        expires_at=peer.expires_at,
        accepted_at=peer.accepted_at,
        last_seen_at=peer.last_seen_at,
        breaker=peer.breaker,
        failures=peer.failures,
        held_until=peer.held_until if peer.breaker == "open" else None,
        recovering=peer.recovering,
        barrier=peer.barrier,
        version=peer.version,
    )
