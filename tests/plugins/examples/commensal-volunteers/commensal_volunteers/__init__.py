"""Volunteers: the office notes who worked a shift, and whoever did so lately pays less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from commensal import (
    Adjustment,
    Enterprise,
    OfficePage,
    OrderDraft,
    PageLine,
    PagePart,
    Phase,
    Screen,
    Time,
    Transaction,
    customer_by_id,
    enterprise_by_id,
    format_day,
    half_up,
    hookimpl,
    metadata,
    only_for,
    translate,
)
from commensal.pages import Visit
from sqlalchemy import Column, ForeignKey, Table, Text, func, insert, select
from starlette.responses import Response

PATH = "customers/shift"
SCOPE = "customers:write"

volunteers_shift = Table(
    "volunteers_shift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, ForeignKey("customer.id"), nullable=False, index=True),
    Column("worked_at", Time, nullable=False),
    sqlite_strict=True,
)


@dataclass(frozen=True)
class Settings:
    percent: Decimal = Decimal(5)
    """Taken off the goods of whoever worked a shift."""
    days: int = 28
    """How long a shift counts, in days before the distribution."""

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 50:
            raise ValueError("percent: more than 0, at most 50")
        if not 1 <= self.days <= 366:
            raise ValueError("days: between 1 and 366")


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
@only_for(phase=(Phase.DISCOUNT,))
def price_adjustments(
    tx: Transaction, order: OrderDraft, phase: Phase, settings: Settings
) -> Sequence[Adjustment] | None:
    if order.customer_id is None:  # nobody has proved who they are: a typed address is not enough
        return None
    # Compared with the distribution and not with today, so that an order that is changed later keeps its discount.
    last = _last_shift(tx, order.customer_id)
    if last is None or last < order.begins_at - timedelta(days=settings.days):
        return None
    label = translate(order.language, "Thank you for your shift")
    return [  # one for each line, so that the VAT of each rate falls with its goods
        Adjustment(
            phase=phase,
            kind="volunteer",
            label=label,
            amount=-half_up(line.amount * settings.percent / 100),
            vat_rate=line.vat_rate,
            line_id=line.id,
        )
        for line in order.lines
    ]


@hookimpl
def page_parts(
    tx: Transaction, page: str, enterprise_id: str, scopes: frozenset[str], subject: str, language: str
) -> Sequence[PagePart] | None:
    """On the page of a customer, whose id is `subject`: the last shift, and the way to the button."""
    if page != "customer" or SCOPE not in scopes:
        return None
    last = _last_shift(tx, subject)
    timezone = enterprise_by_id(tx, enterprise_id).timezone
    text = format_day(last, timezone, language) if last else translate(language, "None yet")
    url = f"/office/{enterprise_id}/{PATH}?customer={subject}"
    line = PageLine(text=text, url=url, action=translate(language, "Note a shift"))
    return [PagePart(title=translate(language, "Last shift"), lines=[line])]


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [OfficePage(path=PATH, place="customers", scope=SCOPE, show=show, send=send)]


def show(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        customer = customer_by_id(tx, shop.id, visit.query.get("customer", ""))  # or NotFound: none of this hub's
    return Screen(template="volunteers/shift.html", context={"customer": customer})


def send(visit: Visit, shop: Enterprise) -> Response:
    with visit.write() as tx:
        customer = customer_by_id(tx, shop.id, visit.query.get("customer", ""))
        row = {"id": tx.new_id(), "customer_id": customer.id, "worked_at": tx.now}
        tx.execute(insert(volunteers_shift).values(row))
    return visit.redirect(f"/office/{shop.id}/customers/{customer.id}")


def _last_shift(tx: Transaction, customer_id: str) -> datetime | None:
    own = volunteers_shift.c
    last: datetime | None = tx.value(select(func.max(own.worked_at)).where(own.customer_id == customer_id))
    return last
