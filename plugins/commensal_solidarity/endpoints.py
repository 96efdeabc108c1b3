"""Programmes, statements and what the funds have paid, over the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import msgspec

from commensal import (
    LARGEST,
    Body,
    Call,
    Endpoint,
    File,
    Page,
    Paging,
    Routes,
    enterprise_by_id,
    hookimpl,
    list_categories,
    page_of,
    plugin_settings,
)

from .as_csv import as_csv
from .received import FundPayment, payments_by, record_payment
from .settings import Programme, Settings
from .statement import Statement, YearSoFar, statement_of, year_so_far
from .years import local_date

_routes = Routes("solidarity")
_PROGRAMME = "/enterprises/{enterprise}/programmes/{programme}"


class Period(Body, frozen=True, kw_only=True):
    """Days by the hub's clocks, both included; without them, the fund's year until today."""

    first: date | None = msgspec.field(name="from", default=None)
    last: date | None = msgspec.field(name="to", default=None)


class NewPayment(Body, frozen=True, kw_only=True):
    """`amount` is what came, in minor units of the hub's currency; a negative one corrects an entry."""

    amount: Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
    paid_on: date
    reference: Annotated[str, msgspec.Meta(max_length=200)] = ""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A programme, and its year as it is today. `category_name` is null where the hub has no such category: then nobody
    is helped."""

    id: str
    payer: str
    category: str
    category_name: str | None
    year: YearSoFar


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/programmes", scope="payments:read")
def solidarity_programmes(call: Call, enterprise: str) -> Sequence[Running]:
    """The hub's programmes, each with what is left of this year's budget."""
    today = local_date(call.tx.now, enterprise_by_id(call.tx, enterprise).timezone)
    names = {one.id: one.name for one in list_categories(call.tx, enterprise)}
    return [
        Running(
            id=one.id, payer=one.payer, category=one.category, category_name=names.get(one.category),
            year=year_so_far(call.tx, enterprise, one, today),
        )
        for one in _settings(call, enterprise).programmes
    ]  # fmt: skip


@_routes.get(f"{_PROGRAMME}/statement", scope="payments:read")
def solidarity_statement(call: Call, enterprise: str, programme: str, query: Period) -> Statement:
    """What a fund is told of a period: orders, what they were granted, and what is left."""
    return statement_of(call.tx, enterprise, _programme(call, enterprise, programme), query.first, query.last)


@_routes.get(f"{_PROGRAMME}/statement.csv", scope="payments:read")
def solidarity_statement_csv(call: Call, enterprise: str, programme: str, query: Period) -> File:
    """The same for a spreadsheet."""
    found = statement_of(call.tx, enterprise, _programme(call, enterprise, programme), query.first, query.last)
    name = f"{found.programme}-{found.first_day}-{found.last_day}.csv"
    return File(as_csv(found, call.language), "text/csv; charset=utf-8", name)


@_routes.get(f"{_PROGRAMME}/payments", scope="payments:read")
def fund_payments(call: Call, enterprise: str, programme: str, query: Paging) -> Page[FundPayment]:
    """What the fund has paid, in the order in which it was written down."""
    found = payments_by(
        call.tx, enterprise, _programme(call, enterprise, programme).id, after=query.after, limit=query.limit
    )
    return page_of(found, query.limit, lambda one: one.id)


@_routes.post(f"{_PROGRAMME}/payments", scope="payments:write", status=201, needs_key=True)
def record_fund_payment(call: Call, enterprise: str, programme: str, body: NewPayment) -> FundPayment:
    """Writes down that the fund has paid."""
    known = _programme(call, enterprise, programme)
    return record_payment(
        call.tx, enterprise, known.id, amount=body.amount, paid_on=body.paid_on, reference=body.reference,
        by=call.person_id,
    )  # fmt: skip


def _settings(call: Call, enterprise: str) -> Settings:
    return plugin_settings(call.tx, call.instance.hooks, enterprise, "solidarity", Settings)


def _programme(call: Call, enterprise: str, programme: str) -> Programme:
    return _settings(call, enterprise).programme(programme)
