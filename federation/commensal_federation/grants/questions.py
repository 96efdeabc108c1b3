"""Which grants there are across instances, and which enterprises here stand for those of other instances."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

from sqlalchemy import bindparam, func, select

from commensal import NotFound, Row, RowQuery, Transaction

from ..messages.catalogue import Grant
from .tables import federation_grant, federation_mirror, federation_told

_row = federation_grant.c
_COLUMNS = [_row[field.name] for field in fields(Grant)]
_BETWEEN = select(*_COLUMNS).where(
    _row.direction == bindparam("way"), _row.enterprise_id == bindparam("ours"), _row.other_iri == bindparam("theirs")
)
_OFFERED = (
    select(_row.id)
    .join(federation_told, federation_told.c.grant_id == _row.id)
    .where(_row.peer_id == bindparam("peer"), _row.direction == "given", _row.state == "accepted")
    .where(federation_told.c.lot_id == bindparam("lot"), federation_told.c.digest != "")
    .limit(1)
)
_SHARES = select(_row.lot_share).where(
    _row.enterprise_id == bindparam("grantor"),
    _row.peer_id == bindparam("peer"),
    _row.direction == "given",
    _row.state == "accepted",
)
_COUNTS = (
    select(_row.peer_id, _row.direction, func.count().label("number"))
    .where(_row.state == "accepted")
    .group_by(_row.peer_id, _row.direction)
)


def grant_by_id(
    tx: Transaction, grant_id: str, *, direction: str | None = None, enterprise_id: str | None = None
) -> Grant:
    """Returns a grant, if it has this direction and belongs to this enterprise of ours. Raises `NotFound`."""
    filters = {"direction": direction, "enterprise_id": enterprise_id}
    conditions = [_row[name] == value for name, value in filters.items() if value is not None]
    row = tx.first(select(*_COLUMNS).where(_row.id == grant_id, *conditions))
    if row is None:
        raise NotFound("no_grant", "There is no such grant.")
    return Grant(**row)


def find_grant(tx: Transaction, direction: str, enterprise_id: str, other_iri: str) -> Grant | None:
    """Returns the grant between these two, or None."""
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
    limit: int | None = None,
) -> list[Grant]:
    """Returns all grants that match, or the first `limit`, ordered by id, after the id `after`; a filter that is None
    matches any."""
    filters = {"enterprise_id": enterprise_id, "peer_id": peer_id, "direction": direction, "state": state}
    chosen = {name: value for name, value in filters.items() if value is not None}
    values: Row = {**chosen, "after": after, **({} if limit is None else {"most": limit})}
    return [Grant(**row) for row in tx.all(_grants(*chosen, limited=limit is not None), values)]


@cache
def _grants(*names: str, limited: bool) -> RowQuery:
    query = select(*_COLUMNS).where(_row.id > bindparam("after"), *(_row[name] == bindparam(name) for name in names))
    query = query.order_by(_row.id)
    return query.limit(bindparam("most")) if limited else query


def count_grants(tx: Transaction) -> dict[tuple[str, str], int]:
    """Returns the number of accepted grants by peer id and direction, "given" or "received"."""
    return {(row["peer_id"], row["direction"]): int(row["number"]) for row in tx.all(_COUNTS)}


def share_granted(tx: Transaction, grantor_id: str, peer_id: str) -> int:
    """Returns the percent of a lot of this enterprise that the peer may hold by its grants: of several the largest.

    100 without a grant that says less: then the limits of the peer count alone.
    """
    shares = [row["lot_share"] for row in tx.all(_SHARES, {"grantor": grantor_id, "peer": peer_id})]
    return 100 if not shares or None in shares else max(shares)


def offer_of(tx: Transaction, grant_id: str) -> str | None:
    """Returns the id of the message that offered the grant last; None where that is not known."""
    offer_id: str | None = tx.value(select(_row.offer_id).where(_row.id == grant_id))
    return offer_id


def mirror_of(tx: Transaction, iri: str) -> str:
    """Returns the id of the copy here of a remote enterprise. Raises `NotFound`."""
    enterprise_id = tx.value(select(federation_mirror.c.enterprise_id).where(federation_mirror.c.iri == iri))
    if enterprise_id is None:
        raise NotFound("no_mirror", "There is no copy of that enterprise here.")
    return str(enterprise_id)


def is_offered(tx: Transaction, lot_id: str, peer_id: str) -> bool:
    """Whether an item of this lot is offered to a hub of the peer, under a grant that it has accepted."""
    return tx.first(_OFFERED, {"lot": lot_id, "peer": peer_id}) is not None
