"""What a partner's word may cost an enterprise by itself: one budget for each partner and month, and a percentage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, insert, select

from commensal import Amount, NotFound, Transaction, insert_or, plugin_settings

from ..runtime import Federation
from ..settings import EnterpriseFederation
from .tables import federation_allowance, federation_allowance_draw

Kind = Literal["price", "weight", "shortage", "receipt"]
_MOST_SHOWN = 200
_month, _draw = federation_allowance.c, federation_allowance_draw.c
_OF_SUBJECT = select(func.coalesce(func.sum(_draw.amount), 0)).where(
    _draw.enterprise_id == bindparam("ours"),
    _draw.partner_iri == bindparam("partner"),
    _draw.kind == bindparam("of_kind"),
    _draw.subject == bindparam("about"),
)
_DRAWN = select(_month.drawn).where(
    _month.enterprise_id == bindparam("ours"),
    _month.partner_iri == bindparam("partner"),
    _month.month == bindparam("now"),
)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What has happened by itself: `amount` in minor units, `subject` the address of an order or an item."""

    kind: Kind
    amount: Amount
    subject: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a partner's word may cost this month by itself, in minor units of the enterprise's currency.

    percent: of what it is about, the most at once
    most:    in a month; `drawn`: of that, so far. Their `draws`, the newest first, at most 200
    """

    percent: int
    most: Amount
    drawn: Amount
    draws: Sequence[Draw]

    @property
    def left(self) -> int:
        return max(0, self.most - self.drawn)


def draw(
    tx: Transaction,
    federation: Federation,
    enterprise_id: str,
    partner_iri: str,
    kind: Kind,
    amount: int,
    base_amount: int,
    subject: str,
) -> bool:
    """Whether something that costs the enterprise `amount` may happen by itself at the word of this partner; if so, it
    is drawn from the month's budget. False: a person decides, and nothing is drawn.

    amount:      what it costs now beyond what was drawn for it before, in minor units of the enterprise's currency;
                 what costs nothing is always True, and not drawn
    base_amount: what the partner's word is about, such as the order's sum, of which the percentage is taken: it bounds
                 all that was ever drawn of this kind for this subject
    subject:     the address of the order or item. Who calls holds its row, so that nobody else draws for it meanwhile
    """
    if amount <= 0:
        return True
    settings = allowance_settings(tx, federation, enterprise_id)
    before = drawn_for(tx, enterprise_id, partner_iri, kind, subject)
    if (before + amount) * 100 > base_amount * settings.allowance_percent or amount > settings.allowance_month:
        return False
    month = _month_of(federation, tx.now)
    about = {"enterprise_id": enterprise_id, "partner_iri": partner_iri, "month": month}
    first = insert_or(tx, federation_allowance).values(**about, drawn=amount)
    grown = first.on_conflict_do_update(
        index_elements=list(about),
        set_={"drawn": _month.drawn + first.excluded.drawn},
        where=_month.drawn + first.excluded.drawn <= settings.allowance_month,
    )
    if tx.execute(grown.returning(_month.drawn)).first() is None:
        return False
    row = {"id": tx.new_id(), **about, "kind": kind, "amount": amount, "subject": subject, "at": tx.now}
    tx.execute(insert(federation_allowance_draw), row)
    return True


def drawn_for(tx: Transaction, enterprise_id: str, partner_iri: str, kind: Kind, subject: str) -> int:
    """What has been drawn for this subject in all, of this kind, in minor units."""
    values = {"ours": enterprise_id, "partner": partner_iri, "of_kind": kind, "about": subject}
    return int(tx.value(_OF_SUBJECT, values))


def budget_of(tx: Transaction, federation: Federation, enterprise_id: str, partner_iri: str) -> Budget:
    """The budget of this partner in the month of now, and what was drawn from it."""
    settings, month = allowance_settings(tx, federation, enterprise_id), _month_of(federation, tx.now)
    drawn = tx.value(_DRAWN, {"ours": enterprise_id, "partner": partner_iri, "now": month})
    draws = (
        select(*(_draw[field.name] for field in fields(Draw)))
        .where(_draw.enterprise_id == enterprise_id, _draw.partner_iri == partner_iri, _draw.month == month)
        .order_by(_draw.at.desc(), _draw.id.desc())
        .limit(_MOST_SHOWN)
    )
    return Budget(
        percent=settings.allowance_percent,
        most=settings.allowance_month,
        drawn=int(drawn or 0),
        draws=[Draw(**row) for row in tx.all(draws)],
    )


def allowance_settings(tx: Transaction, federation: Federation, enterprise_id: str) -> EnterpriseFederation:
    """The enterprise's settings of trade with other instances; the defaults where it has switched that off."""
    try:
        return plugin_settings(tx, federation.instance.hooks, enterprise_id, "federation", EnterpriseFederation)
    except NotFound:
        return EnterpriseFederation()


def _month_of(federation: Federation, at: datetime) -> str:
    return at.astimezone(ZoneInfo(federation.instance.settings.timezone)).strftime("%Y-%m")
