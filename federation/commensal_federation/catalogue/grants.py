"""Grants across instances: which enterprise lets which one of another instance list and sell its goods."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    Transaction,
    catalog_by_id,
    change_enterprise,
    copy_enterprise,
    enable_plugin,
    enabled_plugins,
    enterprise_by_id,
    grant,
    grants_of,
    list_categories,
    revoke,
)

from ..authority.authority import refuse_moved, refuse_moving, wait_while_moving
from ..delivery import post
from ..dfc.iris import enterprise_iri, local_id
from ..dfc.vocabulary import DfcEnterprise
from ..messages.bodies.catalogue import Grant, GrantAnswer, GrantEnd, GrantOffer
from ..messages.types import Refuse
from ..peers.peers import peer_by_id
from ..peers.quotas import refuse_crowd
from ..peers.values import Peer
from ..runtime import Federation
from .listing import margin_problem
from .tables import federation_grant, federation_mirror

SELLING = ("ReadProducts", "WriteOrders")  # what a copy of a producer grants to the hub, in the core's words
_row = federation_grant.c
_COLUMNS = [_row[one.name] for one in fields(Grant)]
_BETWEEN = select(*_COLUMNS).where(
    _row.direction == bindparam("way"), _row.enterprise_id == bindparam("ours"), _row.other_iri == bindparam("theirs")
)
_GRANTORS = (
    select(_row.enterprise_id)
    .where(_row.peer_id == bindparam("peer"), _row.direction == "given", _row.state == "accepted")
    .distinct()
)


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
    by: str | None = None,
) -> Grant:
    """Lets a hub of a peer list and sell what this enterprise lists, at the prices of a customer category.

    Given once more, the grant is as it is said now: with another category, the hub is told the prices of that one.

    Raises `Conflict` for a peer that may not read catalogues here, and for a hub that is not of that peer; `NotFound`
    for a category that the enterprise does not have.
    """
    refuse_moving(tx, enterprise_id)
    if category_id is not None and category_id not in {one.id for one in list_categories(tx, enterprise_id)}:
        raise NotFound("no_category", "There is no such customer category.")
    peer = peer_by_id(tx, peer_id)
    if not peer.active or "catalogue.read" not in peer.scopes_given:
        raise Conflict("peer_scope", "{name} may not read catalogues of this instance.", name=peer.name)
    if local_id(peer.base, hub_iri, "enterprises") is None:
        raise Conflict("foreign_hub", "{iri} is no enterprise of {name}.", iri=hub_iri[:200], name=peer.name)
    switch_on(federation, tx, enterprise_id)
    given = {"category_id": category_id, "resell": resell, "state": "offered", "other_name": hub_name}
    found = _kept(tx, "given", enterprise_id, peer_id, hub_iri, given, by)
    _offer(federation, tx, found)
    return found


def end_grant(federation: Federation, tx: Transaction, grant_id: str) -> Grant:
    """Takes a grant back, or gives a received one up. What was ordered stays ordered. Raises `NotFound`."""
    found = grant_by_id(tx, grant_id)
    refuse_moving(tx, found.enterprise_id)
    ours = enterprise_iri(federation.base, found.enterprise_id)
    if found.direction == "given":
        post(federation, tx, found.peer_id, "GrantEnd", GrantEnd(grantor=ours, hub=found.other_iri), on_behalf_of=ours)
        return _set(tx, found, state="revoked")
    answer = GrantAnswer(grantor=found.other_iri, hub=ours, accepted=False)
    post(federation, tx, found.peer_id, "GrantAnswer", answer, on_behalf_of=ours)
    return _close(federation, tx, _set(tx, found, state="refused"))


def answered(federation: Federation, tx: Transaction, peer: Peer, said: GrantAnswer) -> Grant | None:
    """What the hub says to a grant that is offered. None where nothing has changed."""
    grantor = local_id(federation.base, said.grantor, "enterprises") or ""
    found = find_grant(tx, "given", grantor, said.hub)
    if found is None or found.peer_id != peer.id or found.state == "revoked":
        raise Refuse("no_grant", "There is no such grant.")
    wait_while_moving(tx, found.enterprise_id)
    state = "accepted" if said.accepted else "refused"
    return None if found.state == state else _set(tx, found, state=state)


def offer_again(federation: Federation, tx: Transaction, found: Grant) -> None:
    """Tells the hub once more what it is granted: it may have lost that, or have moved."""
    _offer(federation, tx, found)


def grantors_to(tx: Transaction, peer_id: str) -> set[str]:
    """Ids of our enterprises that have granted something, not taken back, to an enterprise of this peer."""
    return {row["enterprise_id"] for row in tx.all(_GRANTORS, {"peer": peer_id})}


# ------------------------------------------------------------------------------------------------ the hub's side


def grant_offered(federation: Federation, tx: Transaction, peer: Peer, said: GrantOffer) -> None:
    """Keeps a copy of the producer, and the offer for the hub's people to take or leave."""
    hub = local_id(federation.base, said.hub, "enterprises")
    if local_id(peer.base, said.grantor.iri, "enterprises") is None:
        raise Refuse("authority", "An instance grants only for enterprises of its own.")
    refuse_moved(tx, said.grantor.iri)
    if hub is None:
        raise Refuse("no_hub", "There is no such enterprise here.")
    try:
        here = enterprise_by_id(tx, hub)
    except NotFound:
        raise Refuse("no_hub", "There is no such enterprise here.") from None
    if here.currency != said.currency:
        raise Refuse("currency", f"{here.name} sells in {here.currency}, not in {said.currency}.")
    if find_grant(tx, "received", hub, said.grantor.iri) is None:
        refuse_crowd(tx, peer, federation_grant, 1)
    _mirror(tx, peer, said)
    switch_on(federation, tx, hub)
    found = find_grant(tx, "received", hub, said.grantor.iri)
    state = "accepted" if found is not None and found.state == "accepted" else "offered"
    given = {"resell": said.resell, "state": state, "other_name": said.grantor.name}
    found = _kept(tx, "received", hub, peer.id, said.grantor.iri, given, None)
    if state == "accepted":  # it is told once more: the other side may have lost our answer
        _answer(federation, tx, found, accepted=True)


def accept_grant(federation: Federation, tx: Transaction, grant_id: str, *, by: str | None = None) -> Grant:
    """The hub may list the producer's goods from now on. Raises `NotFound`, `Conflict` for one that was taken back."""
    found = grant_by_id(tx, grant_id, direction="received")
    if found.state == "revoked":
        raise Conflict("revoked", "{name} has taken this back.", name=found.other_name)
    _answer(federation, tx, found, accepted=True)
    return accept_again(tx, found, by=by)


def accept_again(tx: Transaction, found: Grant, *, by: str | None = None) -> Grant:
    """The same without a word to the producer, who has heard it."""
    from ..leases.stopping import resume_sales  # which asks this room

    producer = mirror_of(tx, found.other_iri)
    for scope in SELLING:
        grant(tx, producer, found.enterprise_id, scope, by=by)
    hidden = tx.value(select(_row.hidden).where(_row.id == found.id)) or []
    accepted = _set(tx, found, state="accepted", hidden=None)
    resume_sales(tx, found.enterprise_id, producer, hidden)
    return accepted


def state_given_back(federation: Federation, tx: Transaction, found: Grant, state: str) -> Grant:
    """After a restore: what the grant had become before."""
    changed = _set(tx, found, state=state)
    return _close(federation, tx, changed) if state == "refused" else changed


def follow(tx: Transaction, hub: str, grant_id: str, catalog_id: str | None, margin: Decimal | None) -> Grant:
    """The hub's catalog follows what the producer lists, at its price and `margin` percent; None: people list.

    Raises `NotFound` for a grant or a catalog that is not the hub's, `Invalid` for a margin out of bounds.
    """
    found = grant_by_id(tx, grant_id, direction="received", enterprise_id=hub)
    wrong = margin_problem(catalog_id, margin)
    if wrong is not None:
        raise Invalid([wrong])
    if catalog_id is not None:
        catalog_by_id(tx, hub, catalog_id)
    return _set(tx, found, catalog_id=catalog_id, margin=margin)


def grant_ended(federation: Federation, tx: Transaction, peer: Peer, said: GrantEnd) -> Grant | None:
    """The producer has taken it back: from now on nothing more of it is sold here. What is ordered stays ordered."""
    hub = local_id(federation.base, said.hub, "enterprises") or ""
    found = find_grant(tx, "received", hub, said.grantor)
    if found is None or found.peer_id != peer.id or found.state == "revoked":
        return None
    return _close(federation, tx, _set(tx, found, state="revoked"))


def close_grants(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """The trade with this peer has ended: what it had granted to hubs here is over."""
    theirs = (_row.peer_id == peer_id, _row.direction == "received", _row.state.in_(("offered", "accepted")))
    for row in tx.all(select(*_COLUMNS).where(*theirs).order_by(_row.id)):
        _close(federation, tx, _set(tx, Grant(**row), state="revoked"))


# ------------------------------------------------------------------------------------------------ questions


def grant_by_id(
    tx: Transaction, grant_id: str, *, direction: str | None = None, enterprise_id: str | None = None
) -> Grant:
    """A grant, of this enterprise of ours, or in this direction, where that is said. Raises `NotFound`."""
    asked = {"direction": direction, "enterprise_id": enterprise_id}
    same = [_row[name] == value for name, value in asked.items() if value is not None]
    row = tx.first(select(*_COLUMNS).where(_row.id == grant_id, *same))
    if row is None:
        raise NotFound("no_grant", "There is no such grant.")
    return Grant(**row)


def find_grant(tx: Transaction, direction: str, enterprise_id: str, other_iri: str) -> Grant | None:
    """The grant between these two, if there is one."""
    row = tx.first(_BETWEEN, {"way": direction, "ours": enterprise_id, "theirs": other_iri})
    return None if row is None else Grant(**row)


def grants_between(
    tx: Transaction,
    *,
    enterprise_id: str | None = None,
    peer_id: str | None = None,
    direction: str | None = None,
    state: str | None = None,
    after: str = "",
    limit: int = 200,
) -> list[Grant]:
    """Grants by id, from the one after `after` on; None: any."""
    asked = {"enterprise_id": enterprise_id, "peer_id": peer_id, "direction": direction, "state": state}
    same = {name: value for name, value in asked.items() if value is not None}
    return [Grant(**row) for row in tx.all(_grants(*same), {**same, "after": after, "most": limit})]


@cache
def _grants(*same: str) -> Select[Any]:
    mine = select(*_COLUMNS).where(_row.id > bindparam("after"), *(_row[name] == bindparam(name) for name in same))
    return mine.order_by(_row.id).limit(bindparam("most"))


def mirror_of(tx: Transaction, iri: str) -> str:
    """The id of the copy here of an enterprise elsewhere. Raises `NotFound`."""
    found = tx.value(select(federation_mirror.c.enterprise_id).where(federation_mirror.c.iri == iri))
    if found is None:
        raise NotFound("no_mirror", "There is no copy of that enterprise here.")
    return str(found)


# ------------------------------------------------------------------------------------------------


def _kept(
    tx: Transaction, direction: str, ours: str, peer_id: str, theirs: str, given: dict[str, Any], by: str | None
) -> Grant:
    found = find_grant(tx, direction, ours, theirs)
    if found is not None:
        return _set(tx, found, peer_id=peer_id, **given)
    row = {
        "id": tx.new_id(), "direction": direction, "peer_id": peer_id, "enterprise_id": ours, "other_iri": theirs,
        "category_id": None, "created_at": tx.now, "created_by": by, "changed_at": tx.now, "version": 1, **given,
    }  # fmt: skip
    tx.execute(insert(federation_grant), row)
    return grant_by_id(tx, str(row["id"]))


def _set(tx: Transaction, found: Grant, **values: Any) -> Grant:
    changing = update(federation_grant).where(_row.id == found.id)
    tx.execute(changing.values(**values, changed_at=tx.now, version=_row.version + 1))
    return grant_by_id(tx, found.id)


def _offer(federation: Federation, tx: Transaction, found: Grant) -> None:
    one = enterprise_by_id(tx, found.enterprise_id)
    iri = enterprise_iri(federation.base, one.id)
    body = GrantOffer(
        grantor=DfcEnterprise(iri=iri, name=one.name, description=one.description, email=one.email),
        hub=found.other_iri,
        currency=one.currency,
        language=one.language,
        timezone=one.timezone,
        resell=found.resell,
        includes_vat=one.prices_include_vat,
    )
    post(federation, tx, found.peer_id, "GrantOffer", body, on_behalf_of=iri)


def _answer(federation: Federation, tx: Transaction, found: Grant, *, accepted: bool) -> None:
    ours = enterprise_iri(federation.base, found.enterprise_id)
    body = GrantAnswer(grantor=found.other_iri, hub=ours, accepted=accepted)
    post(federation, tx, found.peer_id, "GrantAnswer", body, on_behalf_of=ours)


def _close(federation: Federation, tx: Transaction, ended: Grant) -> Grant:
    """The hub sells nothing of it from now on, in running sales neither."""
    from ..leases.stopping import stop_sales  # which asks this room

    copy = mirror_of(tx, ended.other_iri)
    for scope in grants_of(tx, copy, ended.enterprise_id) & set(SELLING):
        revoke(tx, copy, ended.enterprise_id, scope)
    hidden = stop_sales(federation, tx, ended.enterprise_id, copy)
    before = tx.value(select(_row.hidden).where(_row.id == ended.id)) or []
    return _set(tx, ended, hidden=sorted({*before, *hidden}))


def _mirror(tx: Transaction, peer: Peer, said: GrantOffer) -> str:
    """The copy of the grantor, made or brought up to date."""
    known = tx.first(select(federation_mirror).where(federation_mirror.c.iri == said.grantor.iri))
    about: dict[str, Any] = {"name": said.grantor.name[:200] or peer.name, "description": said.grantor.description}
    if known is not None:
        if known["peer_id"] != peer.id:
            raise Refuse("authority", "That enterprise has another home.")
        copy = enterprise_by_id(tx, known["enterprise_id"])
        if (copy.name, copy.description) != (about["name"], about["description"]):
            change_enterprise(tx, copy.id, copy.version, **about)
        return copy.id
    made = copy_enterprise(
        tx, currency=said.currency, language=said.language if said.language in ("fr", "en") else "fr",
        timezone=said.timezone, is_producer=True, prices_include_vat=said.includes_vat, **about,
    )  # fmt: skip
    row = {"iri": said.grantor.iri, "peer_id": peer.id, "enterprise_id": made.id, "created_at": tx.now}
    tx.execute(insert(federation_mirror), row)
    return made.id


def switch_on(federation: Federation, tx: Transaction, enterprise_id: str) -> None:
    """So that the enterprise's changes, orders and reports reach this plugin."""
    if "federation" not in enabled_plugins(tx, enterprise_id):
        enable_plugin(tx, federation.instance.hooks, enterprise_id, "federation", {})
