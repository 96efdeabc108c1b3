"""Accounts over the JSON API: for the shop that keeps them, and for the member whose account it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from commensal import LARGEST, Body, Call, Endpoint, NotFound, Page, Paging, Routes, hookimpl, known_customer, page_of

from .accounts import Account, AccountEntry, account_of, accounts, change_minimum, entries, open_account, write_entry

_routes = Routes("account")

Amount = Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]


class AccountMinimum(Body, frozen=True, kw_only=True):
    """The lowest balance that this member's orders may reach; null: the shop's minimum."""

    minimum: Amount | None = None


class NewEntry(Body, frozen=True, kw_only=True):
    """A positive `amount` raises the balance: minor units of the shop's money, or hundredths of its unit."""

    kind: Literal["paid in", "paid out", "correction"]
    amount: Amount
    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


@dataclass(frozen=True, kw_only=True)
class OwnAccount:
    """My account, and the entries of its ledger that follow `after`."""

    account: Account
    entries: Sequence[AccountEntry]


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.get("/enterprises/{enterprise}/accounts", scope="payments:read")
def list_accounts(call: Call, enterprise: str, query: Paging) -> Page[Account]:
    """Accounts of the shop's customers, with their balances."""
    page = accounts(call.tx, enterprise, after=query.after, limit=query.limit)
    return page_of(page, query.limit, lambda account: account.customer_id)


@_routes.post("/enterprises/{enterprise}/customers/{customer}/account", scope="payments:write", status=201)
def open_customer_account(call: Call, enterprise: str, customer: str, body: AccountMinimum) -> Account:
    """Opens an account for a customer."""
    return open_account(call.tx, enterprise, customer, minimum=body.minimum)


@_routes.get("/enterprises/{enterprise}/customers/{customer}/account", scope="payments:read")
def customer_account(call: Call, enterprise: str, customer: str) -> Account:
    """A customer's account."""
    return account_of(call.tx, enterprise, customer)


@_routes.patch("/enterprises/{enterprise}/customers/{customer}/account", scope="payments:write", edits=True)
def change_account(call: Call, enterprise: str, customer: str, body: AccountMinimum) -> Account:
    """Sets the lowest balance that a member's orders may reach."""
    return change_minimum(call.tx, enterprise, customer, call.version, body.minimum)


@_routes.get("/enterprises/{enterprise}/customers/{customer}/account/entries", scope="payments:read")
def account_entries(call: Call, enterprise: str, customer: str, query: Paging) -> Page[AccountEntry]:
    """The ledger of an account, the oldest entry first."""
    account_of(call.tx, enterprise, customer)
    page = entries(call.tx, enterprise, customer, after=query.after, limit=query.limit)
    return page_of(page, query.limit, lambda entry: entry.id)


@_routes.post(
    "/enterprises/{enterprise}/customers/{customer}/account/entries", scope="payments:write", status=201, needs_key=True
)
def write_account_entry(call: Call, enterprise: str, customer: str, body: NewEntry) -> AccountEntry:
    """Records what was paid in or out, or a correction."""
    return write_entry(call.tx, enterprise, customer, body.kind, body.amount, note=body.note, person_id=call.person_id)


@_routes.get("/me/shops/{shop}/account", scope="self")
def my_account(call: Call, shop: str, query: Paging) -> OwnAccount:
    """My account at a shop."""
    customer = known_customer(call.tx, shop, call.person_id)
    if customer.customer_id is None:
        raise NotFound("no_account", "You have no account at this shop.")
    return OwnAccount(
        account=account_of(call.tx, shop, customer.customer_id),
        entries=entries(call.tx, shop, customer.customer_id, after=query.after, limit=query.limit),
    )
