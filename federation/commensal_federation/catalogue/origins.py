"""Asks origins for their keys: instances that are not peers, and whose goods come through peers.

Goods wait until the origin has answered once; then the peer that passes them on is asked for its catalogue again. From
then on the origin's document is pinned as a peer's is: only its root key can replace it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import bindparam, delete, func, insert, select, update

from commensal import Conflict, Instance, Invalid, Job, Row, Transaction, enqueue

from ..delivery import post
from ..delivery.alerts import alert
from ..identity import fingerprint_of, read_document, same_or_rotated
from ..identity.read import BadDocument
from ..messages.peering import StateRequest
from ..notices import forget_notice, note_for_enterprise
from ..peers.fetching import Fetched, fetch_document, iri_of
from ..peers.peers import WELL_KNOWN, Peer, peer_by_id, peer_by_iri, repin
from ..provenance.signers import NotProved, Origin
from ..provenance.tables import federation_origin
from ..runtime import Federation, federation_of

ASK = "federation.ask_origin"  # a job: {"origin": the address of its document}
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 360)]  # between failed attempts; the last repeats
SILENT = timedelta(hours=1)  # then people are told that goods wait
AT_MOST = timedelta(minutes=10)  # so often an origin is asked for newer keys, whatever is signed in its name
DAILY = timedelta(days=1)
GIVEN_UP = timedelta(days=30)  # an origin that has never answered is forgotten, until somebody names it again
MOST_UNKNOWN = 100  # origins that one peer has named and that have never answered
MOST_WAITING = 200  # grants that wait for one origin
_log = structlog.get_logger("commensal.federation")
_origin = federation_origin.c
_ROW = select(federation_origin).where(_origin.iri == bindparam("origin"))


def wait_for_origin(
    federation: Federation, tx: Transaction, actor: str, peer: Peer, hub_id: str, catalogue: str
) -> None:
    """Has the origin asked for its keys, and the peer for this part of its catalogue after that.

    `catalogue` is the name of that part: the grantor's IRI, a blank, and the hub's. Raises `NotProved` for an address
    that cannot be an instance's, or that has been asked a moment ago and does not know the key.
    """
    entry = [peer.id, hub_id, catalogue]
    row = tx.first(_ROW.with_for_update(), {"origin": actor})
    if row is None:
        _refuse_bad_address(federation, actor)
        _refuse_too_many(tx, peer)
        values = {
            "iri": actor,
            "peer_id": peer.id,
            "document": "",
            "document_at": None,
            "doubt": "",
            "waiting": [entry],
            "failures": 0,
            "asked_at": None,
            "silent_since": None,
        }
        tx.execute(insert(federation_origin), values)
        enqueue(tx, ASK, {"origin": actor})
        return
    if row["doubt"]:
        raise NotProved(f"the keys of {actor} are in doubt: {row['doubt']}")
    if _asked_lately(row, tx.now) and not row["failures"]:
        raise NotProved(f"it is signed by a key that {actor} does not have")
    if entry not in row["waiting"] and len(row["waiting"]) < MOST_WAITING:
        _set(tx, actor, waiting=[*row["waiting"], entry])
    if not row["waiting"]:
        enqueue(tx, ASK, {"origin": actor})


def ask_origin(instance: Instance, job: Job) -> None:
    """The job. It fetches the document from the origin's own address, and enqueues itself again until that succeeds."""
    federation, actor = federation_of(instance), job.payload["origin"]
    with instance.store.read() as tx:
        if tx.first(_ROW, {"origin": actor}) is None:
            return
    try:
        fetched = fetch_document(federation, actor)
    except Conflict as error:
        _log.info("an origin does not answer", origin=actor, reason=str(error))
        instance.store.transact(lambda tx: _try_again(tx, actor))
        return
    instance.store.transact(lambda tx: _take_document(federation, tx, actor, fetched))


def refresh_origins(tx: Transaction) -> None:
    """Once a day: origins may have new keys, or have revoked one."""
    known = (_origin.document != "", _origin.doubt == "", _origin.asked_at < tx.now - DAILY)
    for row in tx.all(select(_origin.iri).where(*known).order_by(_origin.asked_at).limit(100)):
        _set(tx, row["iri"], asked_at=tx.now)
        enqueue(tx, ASK, {"origin": row["iri"]})


def origins(tx: Transaction) -> list[Origin]:
    """All origins that are not peers, by address."""
    return [
        Origin(
            iri=row["iri"],
            fingerprint=_fingerprint(row),
            doubt=row["doubt"],
            silent_since=row["silent_since"],
            waiting=len(row["waiting"]),
        )
        for row in tx.all(select(federation_origin).order_by(_origin.iri))
    ]


def trust_origin(federation: Federation, tx: Transaction, fetched: Fetched) -> None:
    """Pins a document whose fingerprint a person has compared, whatever was known before. Raises `Conflict`."""
    actor = fetched.document.iri
    if tx.first(_ROW, {"origin": actor}) is None:
        raise Conflict("no_origin", "No goods come from {origin} through others.", origin=actor)
    _accept(federation, tx, actor, fetched.text)


def _take_document(federation: Federation, tx: Transaction, actor: str, fetched: Fetched) -> None:
    row = tx.first(_ROW.with_for_update(), {"origin": actor})
    if row is None:
        return
    peer = peer_by_iri(tx, actor)
    if peer is not None and peer.active:
        repin(tx, peer, fetched.text)
    elif row["document"] and not _follows(row, fetched.text, tx.now):
        _doubt(tx, row)
        return
    _accept(federation, tx, actor, fetched.text)


def _accept(federation: Federation, tx: Transaction, actor: str, text: str) -> None:
    """Pins the document, and asks the peers for the goods that have waited for it."""
    row = tx.one(_ROW, {"origin": actor})
    values = {
        "document": text,
        "document_at": tx.now,
        "asked_at": tx.now,
        "doubt": "",
        "failures": 0,
        "silent_since": None,
        "waiting": [],
    }
    _set(tx, actor, **values)
    for peer_id, hub_id, catalogue in row["waiting"]:
        forget_notice(tx, hub_id, "origin_silent", actor)
        if peer_by_id(tx, peer_id).active:
            post(federation, tx, peer_id, "StateRequest", StateRequest("catalogue", catalogue))


def _fingerprint(row: Row) -> str:
    if not row["document"]:
        return ""
    pinned = read_document(row["document"].encode(), row["iri"], row["document_at"])
    return fingerprint_of(row["iri"], pinned.root.multikey)


def _follows(row: Row, text: str, now: datetime) -> bool:
    try:
        pinned = read_document(row["document"].encode(), row["iri"], row["document_at"])
        return same_or_rotated(pinned, read_document(text.encode(), row["iri"], now))
    except BadDocument:
        return False


def _doubt(tx: Transaction, row: Row) -> None:
    text = "its address shows a document that its root key has not signed"
    _set(tx, row["iri"], doubt=text, asked_at=tx.now)
    alert(tx, row["peer_id"], "origin", f"{row['iri']}, whose goods come through it: {text}.")


def _try_again(tx: Transaction, actor: str) -> None:
    row = tx.first(_ROW.with_for_update(), {"origin": actor})
    if row is None or (row["document"] and not row["waiting"]):
        return  # what is pinned counts on; there is another day
    since = row["silent_since"] or tx.now
    if not row["document"] and tx.now - since >= GIVEN_UP:
        tx.execute(delete(federation_origin).where(_origin.iri == actor))
        return
    _set(tx, actor, failures=row["failures"] + 1, asked_at=tx.now, silent_since=since)
    pause = PAUSES[min(row["failures"], len(PAUSES) - 1)]
    enqueue(tx, ASK, {"origin": actor}, due_at=tx.now + pause)
    if tx.now - since >= SILENT:
        for peer_id, hub_id, _ in row["waiting"]:
            note_for_enterprise(
                tx, hub_id, "origin_silent", peer_id, actor, origin=actor.removesuffix(WELL_KNOWN), since=since
            )


def _asked_lately(row: Row, now: datetime) -> bool:
    return row["asked_at"] is not None and now - row["asked_at"] < AT_MOST


def _refuse_bad_address(federation: Federation, actor: str) -> None:
    try:
        iri = iri_of(federation, actor)
    except (Invalid, Conflict):
        iri = ""
    if iri != actor:
        raise NotProved(f"{actor[:200]} is not an address of an instance")


def _refuse_too_many(tx: Transaction, peer: Peer) -> None:
    """Each unknown origin causes calls, so a peer that invents them must come to an end."""
    unknown = select(func.count()).where(_origin.peer_id == peer.id, _origin.document == "")
    if tx.value(unknown) >= MOST_UNKNOWN:
        raise NotProved(f"{MOST_UNKNOWN} origins that {peer.name} has named have never answered")


def _set(tx: Transaction, actor: str, **values: object) -> None:
    tx.execute(update(federation_origin).where(_origin.iri == actor), values)
