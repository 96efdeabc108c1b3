"""Programmes, statements and payments of funds, over the JSON API."""

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

from .report import statement_csv
from .settings import Programme, Settings
from .statement import FundPayment, FundStatement, FundYear, fund_payments_of, fund_year, record_payment, statement_of

_routes = Routes("solidarity")
_PROGRAMME = "/enterprises/{enterprise}/programmes/{programme}"


class StatementPeriod(Body, frozen=True, kw_only=True):
    """Days by the hub's clocks, both included; without them, the fund's year until today."""

    first: date | None = msgspec.field(name="from", default=None)
    last: date | None = msgspec.field(name="to", default=None)


class NewPayment(Body, frozen=True, kw_only=True):
    """`amount` is what the fund paid, in minor units of the hub's currency; a negative one corrects an entry."""

    amount: Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
    paid_on: date
    reference: Annotated[str, msgspec.Meta(max_length=200)] = ""


@dataclass(frozen=True, kw_only=True)
class ProgrammeStatus:
    """A programme, and its year as it is today. `category_name` is null if the hub has no such category; then no order
    gets a grant."""

    id: str
    payer: str
    category: str
    category_name: str | None
    year: FundYear


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/programmes", scope="payments:read")
def solidarity_programmes(call: Call, enterprise: str) -> Sequence[ProgrammeStatus]:
    """The hub's programmes, each with what is left of this year's budget."""
    today = enterprise_by_id(call.tx, enterprise).date_at(call.tx.now)
    names = {category.id: category.name for category in list_categories(call.tx, enterprise)}
    return [
        ProgrammeStatus(
            id=entry.id,
            payer=entry.payer,
            category=entry.category,
            category_name=names.get(entry.category),
            year=fund_year(call.tx, enterprise, entry, today),
        )
        for entry in _settings(call, enterprise).programmes
    ]


@_routes.get(f"{_PROGRAMME}/statement", scope="payments:read")
def solidarity_statement(call: Call, enterprise: str, programme: str, query: StatementPeriod) -> FundStatement:
    """The statement of a period for a fund: orders, what they were granted, and what is left."""
    return statement_of(call.tx, enterprise, _programme(call, enterprise, programme), query.first, query.last)


@_routes.get(f"{_PROGRAMME}/statement.csv", scope="payments:read")
def solidarity_statement_csv(call: Call, enterprise: str, programme: str, query: StatementPeriod) -> File:
    """The statement of a period as CSV for a spreadsheet."""
    statement = statement_of(call.tx, enterprise, _programme(call, enterprise, programme), query.first, query.last)
    name = f"{statement.programme}-{statement.first_day}-{statement.last_day}.csv"
    return File(statement_csv(statement, call.language), "text/csv; charset=utf-8", name)


@_routes.get(f"{_PROGRAMME}/payments", scope="payments:read")
def fund_payments(call: Call, enterprise: str, programme: str, query: Paging) -> Page[FundPayment]:
    """The payments of the fund, in the order in which they were recorded."""
    payments = fund_payments_of(
        call.tx, enterprise, _programme(call, enterprise, programme).id, after=query.after, limit=query.limit
    )
    return page_of(payments, query.limit, lambda payment: payment.id)


@_routes.post(f"{_PROGRAMME}/payments", scope="payments:write", status=201, needs_key=True)
def record_fund_payment(call: Call, enterprise: str, programme: str, body: NewPayment) -> FundPayment:
    """Records a payment of the fund."""
    checked = _programme(call, enterprise, programme)
    return record_payment(
        call.tx,
        enterprise,
        checked.id,
        amount=body.amount,
        paid_on=body.paid_on,
        reference=body.reference,
        by=call.person_id,
    )


def _settings(call: Call, enterprise: str) -> Settings:
    return plugin_settings(call.tx, call.instance.hooks, enterprise, "solidarity", Settings)


def _programme(call: Call, enterprise: str, programme: str) -> Programme:
    return _settings(call, enterprise).programme(programme)
