"""Grants across instances: an enterprise lets one of another instance list and sell its goods."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, update

from commensal import (
    LANGUAGES,
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Transaction,
    enabled_plugins,
    enterprise_by_id,
    list_categories,
)
from commensal.catalogs import catalog_by_id
from commensal.enterprises import change_enterprise, copy_enterprise, enable_plugin, grant, grants_of, revoke

from ..authority.authority import is_frozen, refuse_moved, refuse_moving, wait_while_moving
from ..delivery import post
from ..dfc.iris import enterprise_iri, local_id
from ..dfc.vocabulary import DfcEnterprise
from ..grants.questions import find_grant, grant_by_id, mirror_of, offer_of
from ..grants.tables import federation_grant, federation_mirror
from ..leases.stopping import resume_sales, stop_sales
from ..messages.catalogue import Grant, GrantAnswer, GrantEnd, GrantOffer
from ..messages.types import Failed, Refuse
from ..notices import forget_notice, note_for_enterprise
from ..peers.limits import refuse_over_quota
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation
from .listings import margin_problem

SELLING = ("ReadProducts", "WriteOrders")  # the core's scopes that the copy of a producer grants to the hub
_AT_ONCE = 500
_row = federation_grant.c


# ------------------------------------------------------------------------------------------------ the grantor's side


def give_grant(
    federation: Federation,
    tx: Transaction,
    enterprise_id: str,
    peer_id: str,
    hub_iri: str,
    hub_name: str,
    *,
    category_id: str | None = None,
    resell: bool = False,
    lot_share: int | None = None,
    ends_at: datetime | None = None,
    by: str | None = None,
) -> Grant:
    """Lets a hub of a peer list and sell what this enterprise lists, at the prices of a customer category.

    A second call for the same hub replaces the terms of its grant; another category changes the prices that it sees.
    `lot_share` is percent of a lot that the peer may hold unsold, and `ends_at` (UTC) when the grant is taken back.

    Raises `Invalid` for terms out of bounds, `Conflict` for a peer that may not read catalogues here, for a hub that is
    not of that peer, and while the enterprise moves; `NotFound` for a category that the enterprise does not have.
    """
    refuse_moving(tx, enterprise_id)
    _refuse_terms(tx, lot_share, ends_at)
    if category_id is not None and category_id not in {category.id for category in list_categories(tx, enterprise_id)}:
        raise NotFound("no_category", "There is no such customer category.")
    peer = peer_by_id(tx, peer_id)
    if not peer.active or "catalogue.read" not in peer.scopes_given:
        raise Conflict("peer_scope", "{name} may not read catalogues of this instance.", name=peer.name)
    if local_id(peer.base, hub_iri, "enterprises") is None:
        raise Conflict("foreign_hub", "{iri} is not an enterprise of {name}.", iri=hub_iri[:200], name=peer.name)
    enable_federation(federation, tx, enterprise_id)
    terms = {
        "category_id": category_id,
        "resell": resell,
        "lot_share": lot_share,
        "ends_at": ends_at,
        "state": "offered",
        "reason": "",
        "other_name": hub_name,
    }
    new_grant = _save(tx, "given", enterprise_id, peer_id, hub_iri, terms, by)
    send_offer(federation, tx, new_grant)
    return new_grant


def _refuse_terms(tx: Transaction, lot_share: int | None, ends_at: datetime | None) -> None:
    problems = []
    if lot_share is not None and not 1 <= lot_share <= 100:
        problems.append(Problem("lot_share", "A share of a lot is 1 to 100 percent.", "/lot_share"))
    if ends_at is not None and ends_at <= tx.now:
        problems.append(Problem("ends_at", "This moment has passed.", "/ends_at"))
    if problems:
        raise Invalid(problems)


def grants_over(tx: Transaction) -> list[str]:
    """Returns the ids of given grants whose time has come. One of an enterprise that moves waits until it has moved."""
    over = (_row.direction == "given", _row.state.in_(("offered", "accepted")), _row.ends_at <= tx.now)
    rows = tx.all(select(_row.id, _row.enterprise_id).where(*over).order_by(_row.id).limit(_AT_ONCE))
    return [row["id"] for row in rows if not is_frozen(tx, row["enterprise_id"])]


def end_grants_over(federation: Federation, tx: Transaction) -> None:
    """Takes back the grants whose time has come."""
    for grant_id in grants_over(tx):
        end_grant(federation, tx, grant_id)


def end_grant(federation: Federation, tx: Transaction, grant_id: str) -> Grant:
    """Revokes a given grant, or gives up a received one. Goods that were ordered stay ordered. Raises `NotFound`."""
    ended = grant_by_id(tx, grant_id)
    refuse_moving(tx, ended.enterprise_id)
    ours = enterprise_iri(federation.base, ended.enterprise_id)
    if ended.direction == "given":
        post(federation, tx, ended.peer_id, "GrantEnd", GrantEnd(grantor=ours, hub=ended.other_iri), on_behalf_of=ours)
        return _update(tx, ended, state="revoked")
    forget_notice(tx, ended.enterprise_id, "grant_offered", ended.id)
    _answer(federation, tx, ended, accepted=False)
    return _close(federation, tx, _update(tx, ended, state="refused"))


def send_offer(federation: Federation, tx: Transaction, offered: Grant) -> None:
    grantor = enterprise_by_id(tx, offered.enterprise_id)
    iri = enterprise_iri(federation.base, grantor.id)
    body = GrantOffer(
        grantor=DfcEnterprise(iri=iri, name=grantor.name, description=grantor.description, email=grantor.email),
        hub=offered.other_iri,
        currency=grantor.currency,
        language=grantor.language,
        timezone=grantor.timezone,
        resell=offered.resell,
        includes_vat=grantor.prices_include_vat,
    )
    offer_id = post(federation, tx, offered.peer_id, "GrantOffer", body, on_behalf_of=iri)
    tx.execute(update(federation_grant).where(_row.id == offered.id), {"offer_id": offer_id})


def take_grant_answer(federation: Federation, tx: Transaction, peer: Peer, answer: GrantAnswer) -> Grant | None:
    """Stores the hub's answer to an offered grant. Returns the grant, or None when nothing has changed.

    An answer to a grant that has been taken back meanwhile has crossed the message about that, and changes nothing; one
    to an older offer has crossed the new offer, which is answered too.
    """
    grantor = local_id(federation.base, answer.grantor, "enterprises") or ""
    existing = find_grant(tx, "given", grantor, answer.hub)
    if existing is None or existing.peer_id != peer.id:
        raise Refuse("no_grant", "There is no such grant.")
    if existing.state == "revoked" or is_to_another_offer(tx, existing, answer):
        return None
    wait_while_moving(tx, existing.enterprise_id)
    state = "accepted" if answer.accepted else "refused"
    if existing.state == state:
        return None
    event = (
        "grant_accepted" if answer.accepted else "grant_given_up" if existing.state == "accepted" else "grant_refused"
    )
    _note_answer(tx, existing, event)
    return _update(tx, existing, state=state, reason="")


def is_to_another_offer(tx: Transaction, existing: Grant, answer: GrantAnswer) -> bool:
    """Whether the answer names an offer that is not the last one of the grant. An older instance names none."""
    return None not in (answer.offer, offer_id := offer_of(tx, existing.id)) and answer.offer != offer_id


def record_refused_offer(federation: Federation, tx: Transaction, failed: Failed[GrantOffer]) -> None:
    """Records that the peer's instance refused an offered grant, for example because it has no such hub."""
    grantor = local_id(federation.base, failed.body.grantor.iri, "enterprises") or ""
    existing = find_grant(tx, "given", grantor, failed.body.hub)
    if existing is not None and existing.peer_id == failed.peer.id and existing.state == "offered":
        _note_answer(tx, existing, "grant_refused", reason=failed.text)
        _update(tx, existing, state="refused", reason=failed.text[:500])


def _note_answer(tx: Transaction, offered: Grant, event: str, *, reason: str = "") -> None:
    """Notes for the grantor's people what the hub has answered."""
    values = {"hub": offered.other_name, "iri": offered.other_iri, "reason": reason and f"({reason})"}
    note_for_enterprise(tx, offered.enterprise_id, event, offered.peer_id, offered.id, **values)


# ------------------------------------------------------------------------------------------------ the hub's side


def take_grant_offer(federation: Federation, tx: Transaction, peer: Peer, offer: GrantOffer, offer_id: str) -> None:
    """Stores a copy of the producer, and the offer, which the hub's people accept or refuse. Raises `Refuse`.

    `offer_id` is that of the message, which the hub's answer names.
    """
    hub = local_id(federation.base, offer.hub, "enterprises")
    if local_id(peer.base, offer.grantor.iri, "enterprises") is None:
        raise Refuse("authority", "An instance grants only for enterprises of its own.")
    refuse_moved(tx, offer.grantor.iri)
    if hub is None:
        raise Refuse("no_hub", "There is no such enterprise here.")
    try:
        hub_enterprise = enterprise_by_id(tx, hub)
    except NotFound:
        raise Refuse("no_hub", "There is no such enterprise here.") from None
    if hub_enterprise.currency != offer.currency:
        raise Refuse("currency", f"{hub_enterprise.name} sells in {hub_enterprise.currency}, not in {offer.currency}.")
    if find_grant(tx, "received", hub, offer.grantor.iri) is None:
        refuse_over_quota(tx, peer, federation_grant, 1)
    _update_copy(tx, peer, offer)
    enable_federation(federation, tx, hub)
    existing = find_grant(tx, "received", hub, offer.grantor.iri)
    state = "accepted" if existing is not None and existing.state == "accepted" else "offered"
    terms = {"resell": offer.resell, "state": state, "other_name": offer.grantor.name, "offer_id": offer_id}
    known_offer = existing is not None and existing.state == "offered"
    existing = _save(tx, "received", hub, peer.id, offer.grantor.iri, terms, None)
    if state == "offered" and not known_offer:
        note_for_enterprise(
            tx, hub, "grant_offered", peer.id, existing.id, producer=existing.other_name, grant=existing.id
        )
    if state == "accepted":  # answered again: the other side may have lost the first answer
        _answer(federation, tx, existing, accepted=True)


def accept_grant(federation: Federation, tx: Transaction, grant_id: str, *, by: str | None = None) -> Grant:
    """Accepts a grant: the hub may list the producer's goods. Raises `NotFound`, `Conflict` for a revoked one."""
    existing = grant_by_id(tx, grant_id, direction="received")
    if existing.state == "revoked":
        raise Conflict("revoked", "{name} has taken this back.", name=existing.other_name)
    forget_notice(tx, existing.enterprise_id, "grant_offered", existing.id)
    _answer(federation, tx, existing, accepted=True)
    return restore_acceptance(tx, existing, by=by)


def restore_acceptance(
    tx: Transaction, existing: Grant, *, by: str | None = None, since: datetime | None = None
) -> Grant:
    """Accepts a grant without a message to the producer, which has received one already.

    `since` (UTC) is when the grant was made, for one that this instance had forgotten.
    """
    producer = mirror_of(tx, existing.other_iri)
    for scope in SELLING:
        grant(tx, producer, existing.enterprise_id, scope, by=by)
    hidden = tx.value(select(_row.hidden).where(_row.id == existing.id)) or []
    accepted = _update(tx, existing, state="accepted", hidden=None, created_at=since or existing.created_at)
    resume_sales(tx, existing.enterprise_id, producer, hidden)
    return accepted


def restore_offer(
    federation: Federation, tx: Transaction, peer: Peer, grantor: str, offer: GrantOffer, offer_id: str
) -> Grant:
    """Makes a grant again that was offered before a restore and is forgotten, without a message: the peer has it."""
    enable_federation(federation, tx, grantor)
    terms = {
        "category_id": None,
        "resell": offer.resell,
        "state": "offered",
        "other_name": peer.name,
        "offer_id": offer_id,
    }
    return _save(tx, "given", grantor, peer.id, offer.hub, terms, None)


def restore_state(federation: Federation, tx: Transaction, existing: Grant, state: str) -> Grant:
    """Sets the state that the grant had before a restore."""
    changed = _update(tx, existing, state=state)
    return _close(federation, tx, changed) if state == "refused" else changed


def follow(tx: Transaction, hub: str, grant_id: str, catalog_id: str | None, margin: Decimal | None) -> Grant:
    """Lets the hub's catalog follow the producer's, at its prices plus `margin` percent; None: people list the goods.

    Raises `NotFound` for a grant or a catalog that is not the hub's, `Invalid` for a margin out of bounds.
    """
    existing = grant_by_id(tx, grant_id, direction="received", enterprise_id=hub)
    problem = margin_problem(catalog_id, margin)
    if problem is not None:
        raise Invalid([problem])
    if catalog_id is not None:
        catalog_by_id(tx, hub, catalog_id)
    return _update(tx, existing, catalog_id=catalog_id, margin=margin)


def take_grant_end(federation: Federation, tx: Transaction, peer: Peer, notice: GrantEnd) -> Grant | None:
    """Ends a grant that the producer has revoked: no more of its goods are sold here; ordered ones stay ordered.

    Returns None when there is no such grant, or it had ended before.
    """
    hub = local_id(federation.base, notice.hub, "enterprises") or ""
    existing = find_grant(tx, "received", hub, notice.grantor)
    if existing is None or existing.peer_id != peer.id or existing.state == "revoked":
        return None
    return _close_and_note(federation, tx, existing)


def close_grants(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Ends all grants from this peer to hubs here, because the trade with it has ended."""
    open_grants = (_row.peer_id == peer_id, _row.direction == "received", _row.state.in_(("offered", "accepted")))
    for row in tx.all(select(_row.id).where(*open_grants).order_by(_row.id)):
        _close_and_note(federation, tx, grant_by_id(tx, row["id"]))


# ------------------------------------------------------------------------------------------------


def _save(
    tx: Transaction, direction: str, ours: str, peer_id: str, theirs: str, terms: dict[str, Any], by: str | None
) -> Grant:
    existing = find_grant(tx, direction, ours, theirs)
    if existing is not None:
        return _update(tx, existing, peer_id=peer_id, **terms)
    row = {
        "id": tx.new_id(),
        "direction": direction,
        "peer_id": peer_id,
        "enterprise_id": ours,
        "other_iri": theirs,
        "category_id": None,
        "created_at": tx.now,
        "created_by": by,
        "changed_at": tx.now,
        "version": 1,
        **terms,
    }
    tx.execute(insert(federation_grant), row)
    return grant_by_id(tx, str(row["id"]))


def _update(tx: Transaction, existing: Grant, **values: object) -> Grant:
    change = update(federation_grant).where(_row.id == existing.id)
    tx.execute(change.values(**values, changed_at=tx.now, version=_row.version + 1))
    return grant_by_id(tx, existing.id)


def _answer(federation: Federation, tx: Transaction, received: Grant, *, accepted: bool) -> None:
    ours = enterprise_iri(federation.base, received.enterprise_id)
    offer_id = offer_of(tx, received.id)
    body = GrantAnswer(grantor=received.other_iri, hub=ours, accepted=accepted, offer=offer_id)
    post(federation, tx, received.peer_id, "GrantAnswer", body, on_behalf_of=ours)


def _close_and_note(federation: Federation, tx: Transaction, existing: Grant) -> Grant:
    """Ends a received grant by the other side's decision, and notes that for the hub's people."""
    closed = _close(federation, tx, _update(tx, existing, state="revoked"))
    forget_notice(tx, closed.enterprise_id, "grant_offered", closed.id)
    if existing.state == "accepted":
        count = len(tx.value(select(_row.hidden).where(_row.id == closed.id)) or ())
        names = {"producer": closed.other_name, "count": count}
        note_for_enterprise(tx, closed.enterprise_id, "grant_ended", closed.peer_id, closed.id, **names)
    return closed


def _close(federation: Federation, tx: Transaction, ended: Grant) -> Grant:
    """Stops the hub's sales of these goods, running ones included."""
    copy = mirror_of(tx, ended.other_iri)
    for scope in grants_of(tx, copy, ended.enterprise_id) & set(SELLING):
        revoke(tx, copy, ended.enterprise_id, scope)
    hidden = stop_sales(federation, tx, ended.enterprise_id, copy)
    before = tx.value(select(_row.hidden).where(_row.id == ended.id)) or []
    return _update(tx, ended, hidden=sorted({*before, *hidden}))


def _update_copy(tx: Transaction, peer: Peer, offer: GrantOffer) -> str:
    """Creates or updates the copy of the grantor and returns its id. Raises `Refuse`."""
    existing = tx.first(select(federation_mirror).where(federation_mirror.c.iri == offer.grantor.iri))
    texts: dict[str, Any] = {"name": offer.grantor.name[:200] or peer.name, "description": offer.grantor.description}
    if existing is not None:
        if existing["peer_id"] != peer.id:
            raise Refuse("authority", "That enterprise has another home.")
        copy = enterprise_by_id(tx, existing["enterprise_id"])
        if not copy.is_producer:  # a plugin made it, of a partner that had granted nothing yet
            texts |= {"is_producer": True, "visibility": "link", "prices_include_vat": offer.includes_vat}
            texts |= {"timezone": offer.timezone}
            return change_enterprise(tx, copy.id, copy.version, **texts).id
        if (copy.name, copy.description) != (texts["name"], texts["description"]):
            change_enterprise(tx, copy.id, copy.version, **texts)
        return copy.id
    made = copy_enterprise(
        tx,
        currency=offer.currency,
        language=offer.language if offer.language in LANGUAGES else "en",
        timezone=offer.timezone,
        is_producer=True,
        prices_include_vat=offer.includes_vat,
        **texts,
    )
    row = {"iri": offer.grantor.iri, "peer_id": peer.id, "enterprise_id": made.id, "created_at": tx.now}
    tx.execute(insert(federation_mirror), row)
    return made.id


def enable_federation(federation: Federation, tx: Transaction, enterprise_id: str) -> None:
    """Enables this plugin for the enterprise, so that it receives the enterprise's events."""
    if "federation" not in enabled_plugins(tx, enterprise_id):
        enable_plugin(tx, federation.instance.hooks, enterprise_id, "federation", {})
