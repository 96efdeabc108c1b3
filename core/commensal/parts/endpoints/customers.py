"""Customers of an enterprise and their categories over the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...base.languages.catalogs import say
from ...enterprises.customer_categories import (
    CustomerCategory,
    create_category,
    delete_category,
    list_categories,
    rename_category,
)
from ...enterprises.customers import Customer, change_customer, create_customer, customer_by_id, list_customers
from ...orders.questions import people_who_ordered
from ..membership.customer_lists import CustomerList, import_customers, read_customers
from .product_bodies import PluginBody

routes = Routes("customers")

Unset = msgspec.UnsetType
Line = Annotated[str, msgspec.Meta(max_length=200)]
Word = Annotated[str, msgspec.Meta(max_length=40)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=100)]
CategoryName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class NewCustomer(Body, frozen=True, kw_only=True):
    """`code` is your own reference; `categories` are ids."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    name: Line = ""
    phone: Word = ""
    code: Word | None = None
    note: Note = ""
    categories: Ids = ()
    plugin_fields: PluginBody = msgspec.field(default_factory=dict)


class CustomerPatch(Body, frozen=True, kw_only=True):
    """`categories` are all that the customer is in afterwards."""

    name: Line | Unset = msgspec.UNSET
    phone: Word | Unset = msgspec.UNSET
    code: Word | Unset | None = msgspec.UNSET
    note: Note | Unset = msgspec.UNSET
    categories: Ids | Unset = msgspec.UNSET
    plugin_fields: PluginBody | Unset = msgspec.UNSET


class CustomerQuery(Paging, frozen=True, kw_only=True):
    """`search`: words of name, address or code; `category`: its id."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    category: Annotated[str, msgspec.Meta(max_length=64)] = ""


class CategoryBody(Body, frozen=True, kw_only=True):
    name: CategoryName


_CUSTOMER = "/enterprises/{enterprise}/customers/{customer}"
_CATEGORY = "/enterprises/{enterprise}/customer-categories/{category}"


@routes.get("/enterprises/{enterprise}/customers", scope="customers:read")
def customers(call: Call, enterprise: str, query: CustomerQuery) -> Page[Customer]:
    """The enterprise's customers, by e-mail address."""
    found_customers = list_customers(
        call.tx, enterprise, search=query.search, category_id=query.category, after=query.after, limit=query.limit
    )
    return page_of(_without_accounts(call, enterprise, found_customers), query.limit, lambda customer: customer.email)


@routes.post("/enterprises/{enterprise}/customers", scope="customers:write", status=201)
def write_customer_down(call: Call, enterprise: str, body: NewCustomer) -> Customer:
    """Adds a customer; whoever orders becomes one by themselves."""
    return _without_account(call, enterprise, create_customer(call.tx, enterprise, **changes(body)))


class CustomersToRead(Body, frozen=True, kw_only=True):
    """`dry_run` changes nothing and answers with every mistake."""

    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class RowMistake:
    """A mistake in a list. The headers are row 1."""

    row: int
    code: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class CustomersRead:
    """How many customers a list adds and completes, and the groups that it makes. `mistakes` is filled by a dry run;
    the first 200 are listed, `mistakes_in_all` counts every one."""

    created: int
    changed: int
    new_groups: Sequence[str]
    mistakes: Sequence[RowMistake]
    mistakes_in_all: int


def _read(call: Call, enterprise: str, body: bytes, query: CustomersToRead) -> CustomerList:
    return read_customers(body)


@routes.post(
    "/enterprises/{enterprise}/customer-list", scope="customers:write", takes="application/octet-stream", prepare=_read
)
def read_customer_list(call: Call, enterprise: str, body: bytes, query: CustomersToRead) -> CustomersRead:
    """Takes over a CSV of customers: e-mail, name, telephone, number, groups, note. All of it or nothing."""
    report = import_customers(call.tx, enterprise, call.prepared, dry_run=query.dry_run)
    mistakes = [
        RowMistake(row=int(problem.values["row"]), code=problem.code, detail=say(call.language, problem))
        for problem in report.problems
    ]
    return CustomersRead(
        created=report.created,
        changed=report.changed,
        new_groups=report.new_groups,
        mistakes=mistakes,
        mistakes_in_all=len(report.problems) + report.unlisted,
    )


@routes.get(_CUSTOMER, scope="customers:read")
def customer(call: Call, enterprise: str, customer: str) -> Customer:
    """One customer."""
    return _without_account(call, enterprise, customer_by_id(call.tx, enterprise, customer))


@routes.patch(_CUSTOMER, scope="customers:write", edits=True)
def edit_customer(call: Call, enterprise: str, customer: str, body: CustomerPatch) -> Customer:
    """Changes what the enterprise wrote of a customer."""
    changed = change_customer(call.tx, enterprise, customer, call.version, **changes(body))
    return _without_account(call, enterprise, changed)


def _without_account(call: Call, enterprise: str, customer: Customer) -> Customer:
    return _without_accounts(call, enterprise, [customer])[0]


def _without_accounts(call: Call, enterprise: str, customers: Sequence[Customer]) -> list[Customer]:
    """Hides the account of customers who have not ordered with it. Otherwise an enterprise that enters an address would
    learn whether it has an account here."""
    with_account = people_who_ordered(
        call.tx, enterprise, {customer.person_id for customer in customers if customer.person_id is not None}
    )
    return [
        customer if customer.person_id in with_account else replace(customer, person_id=None) for customer in customers
    ]


@routes.get("/enterprises/{enterprise}/customer-categories", scope="customers:read")
def customer_categories(call: Call, enterprise: str) -> list[CustomerCategory]:
    """All groups of customers of the enterprise."""
    return list(list_categories(call.tx, enterprise))


@routes.post("/enterprises/{enterprise}/customer-categories", scope="customers:write", status=201)
def add_customer_category(call: Call, enterprise: str, body: CategoryBody) -> CustomerCategory:
    """Adds a group of customers."""
    return create_category(call.tx, enterprise, name=body.name)


@routes.patch(_CATEGORY, scope="customers:write", edits=True)
def rename_customer_category(call: Call, enterprise: str, category: str, body: CategoryBody) -> CustomerCategory:
    """Renames a group of customers."""
    return rename_category(call.tx, enterprise, category, call.version, name=body.name)


@routes.delete(_CATEGORY, scope="customers:write", edits=True)
def drop_customer_category(call: Call, enterprise: str, category: str) -> None:
    """Deletes a group of customers that no offer is made to."""
    delete_category(call.tx, enterprise, category, call.version)
