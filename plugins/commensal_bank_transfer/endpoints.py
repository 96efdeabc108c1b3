"""Bank statements over the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from commensal import (
    Body,
    Call,
    Endpoint,
    Invalid,
    Page,
    Paging,
    Problem,
    Routes,
    enterprise_by_id,
    hookimpl,
    page_of,
    plugin_settings,
)

from .entries import MOST_SHARES, BankEntry, ImportResult, entries, entry_by_id, ignore, reopen, settle, split
from .importing import import_movements
from .settings import Settings
from .statements.read import read_movements
from .statements.values import Movement

_routes = Routes("bank transfer")


class EntryQuery(Paging, frozen=True, kw_only=True):
    state: Literal["open", "matched", "ignored"] = "open"


class ShareOfCredit(Body, frozen=True, kw_only=True):
    """What of the credit is for one order, in minor units."""

    order_number: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    amount: Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class SharesOfCredit(Body, frozen=True, kw_only=True):
    """Orders of one customer. The sum of the amounts is the amount of the credit, unless `rest_to` names the plugin
    that keeps what is left for the customer, such as "account"."""

    shares: Annotated[tuple[ShareOfCredit, ...], msgspec.Meta(min_length=1, max_length=MOST_SHARES)]
    rest_to: Annotated[str, msgspec.Meta(max_length=64)] = ""


class OrderOfCredit(Body, frozen=True, kw_only=True):
    """The number of the order that the credit is for."""

    order_number: Annotated[int, msgspec.Meta(ge=1, le=10**12)]


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


def _read(call: Call, enterprise: str, body: bytes) -> Sequence[Movement]:
    """Parses the statement before the transaction begins: a large file must not lock the database."""
    settings = plugin_settings(call.tx, call.instance.hooks, enterprise, "bank_transfer", Settings)
    return read_movements(body, settings, enterprise_by_id(call.tx, enterprise).currency)


@_routes.post(
    "/enterprises/{enterprise}/statements", scope="payments:write", takes="application/octet-stream", prepare=_read
)
def take_statement_in(call: Call, enterprise: str, body: bytes) -> ImportResult:
    """Imports a statement of the shop's account, CSV or camt.053, and records the credits that name an order."""
    return import_movements(call.tx, enterprise, call.prepared)


@_routes.get("/enterprises/{enterprise}/entries", scope="payments:read")
def bank_entries(call: Call, enterprise: str, query: EntryQuery) -> Page[BankEntry]:
    """Credits of the account in one state, by default those that wait for a person."""
    page = entries(call.tx, enterprise, state=query.state, after=query.after, limit=query.limit)
    return page_of(page, query.limit, lambda entry: entry.id)


@_routes.post("/enterprises/{enterprise}/entries/{entry}/settle", scope="payments:write")
def settle_entry(call: Call, enterprise: str, entry: str, body: OrderOfCredit) -> BankEntry:
    """Records an open credit for an order."""
    return settle(call.tx, enterprise, entry, body.order_number, person_id=call.person_id)


@_routes.post("/enterprises/{enterprise}/entries/{entry}/split", scope="payments:write")
def split_entry(call: Call, enterprise: str, entry: str, body: SharesOfCredit) -> BankEntry:
    """Records an open credit for orders of one customer, exactly, or with a rest that is kept for them."""
    entry_by_id(call.tx, enterprise, entry)  # somebody else's does not exist, whatever was sent
    amounts = {part.order_number: part.amount for part in body.shares}
    if len(amounts) != len(body.shares):
        raise Invalid([Problem("twice", "Each order is named once.", "/shares")])
    return split(
        call.tx, call.instance.hooks, enterprise, entry, amounts, rest_to=body.rest_to, person_id=call.person_id
    )


@_routes.post("/enterprises/{enterprise}/entries/{entry}/ignore", scope="payments:write")
def ignore_entry(call: Call, enterprise: str, entry: str) -> BankEntry:
    """Marks a credit as unrelated to orders."""
    return ignore(call.tx, enterprise, entry, person_id=call.person_id)


@_routes.post("/enterprises/{enterprise}/entries/{entry}/reopen", scope="payments:write")
def reopen_entry(call: Call, enterprise: str, entry: str) -> BankEntry:
    """Takes back what was decided about a credit, with its payment; it waits for a person again."""
    return reopen(call.tx, call.instance.hooks, enterprise, entry, person_id=call.person_id)
