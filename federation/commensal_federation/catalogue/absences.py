"""Periods in which a producer brings nothing, told to hubs elsewhere: no sale there has its goods in these days."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select

from commensal import Transaction
from commensal.parts.sale_calendar import absences_of, replace_absences

from ..authority.authority import is_frozen
from ..delivery import post
from ..dfc.iris import enterprise_iri
from ..grants.questions import find_grant, mirror_of
from ..messages.catalogue import Absences, CatalogueUpsert, Grant
from ..messages.types import refuse_leap
from ..runtime import Federation
from .tables import federation_absences

_row = federation_absences.c
_LAST = select(_row.rev, _row.periods).where(_row.grant_id == bindparam("grant"))
_FORGET = delete(federation_absences).where(_row.grant_id == bindparam("grant"))


def send_absences(federation: Federation, tx: Transaction, grant: Grant, *, again: bool = False) -> None:
    """Tells the hub of a grant when its producer is away, all periods that are not over, if they have changed."""
    if is_frozen(tx, grant.enterprise_id):
        return
    periods = tuple((absence.first_day, absence.last_day) for absence in absences_of(tx, grant.enterprise_id))
    last = tx.first(_LAST, {"grant": grant.id})
    before = [] if last is None else last["periods"]
    if _as_texts(periods) == before and not (again and last):
        return
    # By the clock, so that numbers grow on after a restore, and at another home.
    rev = int(tx.now.timestamp()) if last is None else max(last["rev"] + 1, int(tx.now.timestamp()))
    absences = Absences(rev=rev, periods=periods)
    _note(tx, grant.id, absences)
    ours = enterprise_iri(federation.base, grant.enterprise_id)
    body = CatalogueUpsert(grantor=ours, hub=grant.other_iri, items=(), absences=absences)
    post(federation, tx, grant.peer_id, "CatalogueUpsert", body, on_behalf_of=ours)


def take_absences(tx: Transaction, hub_id: str, grantor: str, absences: Absences) -> None:
    """Notes when a producer elsewhere is away, unless something newer is known. Raises `Refuse` for a number that is
    far ahead of the clock and of the last one."""
    grant = find_grant(tx, "received", hub_id, grantor)
    last = None if grant is None else tx.first(_LAST, {"grant": grant.id})
    if grant is None or (last is not None and last["rev"] >= absences.rev):
        return
    refuse_leap("Absences", absences.rev, max(int(tx.now.timestamp()), last["rev"] if last is not None else 0))
    _note(tx, grant.id, absences)
    replace_absences(tx, mirror_of(tx, grantor), absences.periods)


def recover_absences(tx: Transaction, grant: Grant, absences: Absences) -> None:
    """Notes what was told before a restore: where something else holds now, that is told as newer."""
    last = tx.first(_LAST, {"grant": grant.id})
    if last is None or last["rev"] < absences.rev:
        _note(tx, grant.id, absences)


def _note(tx: Transaction, grant_id: str, absences: Absences) -> None:
    tx.change(_FORGET, {"grant": grant_id})
    row = {"grant_id": grant_id, "rev": absences.rev, "periods": _as_texts(absences.periods)}
    tx.execute(insert(federation_absences), row)


def _as_texts(periods: Sequence[tuple[object, object]]) -> list[list[str]]:
    return [[str(first), str(last)] for first, last in periods]
