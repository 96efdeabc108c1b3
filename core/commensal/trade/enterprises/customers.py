"""Customers: who buys from an enterprise, one for each e-mail address, with or without an account."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, TypedDict, Unpack

from sqlalchemy import Select, bindparam, case, func, literal_column, select
from sqlalchemy.sql.dml import ReturningInsert

from ...base.errors import Conflict, Invalid, NotFound, Problem
from ...base.search import matches, search_key
from ...base.texts import read_text, refuse_links
from ...storage.database import Row, Transaction, edit_row, insert_on, insert_or, refusing
from ..people.email import read_email
from ..people.tables import person
from .customer_categories import set_categories
from .tables import customer, customer_in_category


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody who buys from one enterprise, as that enterprise knows them. `code` is the enterprise's own reference.

    `person_id` is their account, once its address is confirmed. Another enterprise knows them as another customer.
    """

    id: str
    enterprise_id: str
    person_id: str | None
    email: str
    name: str
    phone: str
    code: str | None
    note: str
    categories: frozenset[str]
    created_at: datetime
    version: int


class CustomerFields(TypedDict, total=False):
    name: str
    phone: str
    code: str | None
    note: str
    categories: Collection[str]


# The categories of the customer at hand, in the same statement: an id has no comma. The row is named as text, because
# after RETURNING SQLAlchemy does not see that it is the outer one.
_CATEGORIES = (
    select(func.aggregate_strings(customer_in_category.c.category_id, ","))
    .where(customer_in_category.c.customer_id == literal_column("customer.id"))
    .scalar_subquery()
    .label("categories")
)
_COLUMNS = [customer.c[one.name] if one.name != "categories" else _CATEGORIES for one in fields(Customer)]


def customer_for(
    tx: Transaction, enterprise_id: str, *, email: str, name: str, phone: str = "", person_id: str | None = None
) -> Customer:
    """The customer with this address (in the form of `read_email`), made where there is none. One statement.

    `person_id` is who is logged in. It becomes the customer's only if the address is theirs and confirmed: otherwise
    whoever types the address of another would see their orders. What the enterprise wrote of the customer stays.
    """
    row = _new_row(tx, enterprise_id, email, {"name": name, "phone": phone})
    owner = {} if person_id is None else {"owner": person_id, "address": email}
    return _customer(tx.one(_found_or_made(tx.postgresql, tuple(row), bool(owner)), {**row, **owner}))


@cache
def _found_or_made(postgresql: bool, names: tuple[str, ...], owned: bool) -> ReturningInsert[Any]:
    """Made once, since every order asks it."""
    owner = select(person.c.id).where(
        person.c.id == bindparam("owner"), person.c.email == bindparam("address"), person.c.confirmed_at.is_not(None)
    )
    first = insert_on(postgresql, customer).values(
        {name: bindparam(name, type_=customer.c[name].type) for name in names}
        | {"person_id": owner.scalar_subquery() if owned else None}
    )
    new_owner = first.excluded.person_id
    adopted = case((customer.c.person_id.is_(None) & new_owner.is_not(None), 1), else_=0)
    found = first.on_conflict_do_update(
        index_elements=["enterprise_id", "email"],
        set_={
            "person_id": func.coalesce(customer.c.person_id, new_owner),
            "version": customer.c.version + adopted,
        },
    )
    return found.returning(*_COLUMNS)


def create_customer(tx: Transaction, enterprise_id: str, *, email: str, **given: Unpack[CustomerFields]) -> Customer:
    """A customer that the enterprise writes down itself. If the address is somebody's confirmed one, it is theirs.

    Raises `Invalid` with every mistake, `Conflict` where there is a customer with this address.
    """
    problems: list[Problem] = []
    read = read_email(email)
    if isinstance(read, Problem):
        problems.append(read)
    values = _checked({"name": "", **given}, problems)
    if problems or isinstance(read, Problem):
        raise Invalid(problems)
    owner = select(person.c.id).where(person.c.email == read, person.c.confirmed_at.is_not(None))
    row = {**_new_row(tx, enterprise_id, read, values), "person_id": owner.scalar_subquery()}
    with refusing(tx, double=_code_taken(values)):
        new = insert_or(tx, customer).values(row).on_conflict_do_nothing(index_elements=["enterprise_id", "email"])
        made = tx.execute(new).rowcount
    if made != 1:
        raise Conflict("customer_exists", "There is a customer with the address {email} already.", email=read)
    set_categories(tx, enterprise_id, row["id"], given.get("categories", ()))
    return customer_by_id(tx, enterprise_id, row["id"])


def change_customer(
    tx: Transaction, enterprise_id: str, customer_id: str, version: int, **changed: Unpack[CustomerFields]
) -> Customer:
    """Changes what the enterprise wrote of a customer; `categories` are all they are in afterwards.

    Raises `Invalid` with every mistake, `NotFound`, `Stale`.
    """
    problems: list[Problem] = []
    values = _checked(changed, problems)
    if problems:
        raise Invalid(problems)
    before = customer_by_id(tx, enterprise_id, customer_id)
    after = {"name": before.name, "code": before.code, **values}
    values["search"] = _search(before.email, after["name"], after["code"])
    mine = (customer.c.id == customer_id, customer.c.enterprise_id == enterprise_id)
    with refusing(tx, double=_code_taken(values)):
        edit_row(tx, customer, *mine, version=version, values=values)
    if "categories" in changed:
        set_categories(tx, enterprise_id, customer_id, changed["categories"])
    return customer_by_id(tx, enterprise_id, customer_id)


def customer_by_id(tx: Transaction, enterprise_id: str, customer_id: str) -> Customer:
    """One of the enterprise's customers. Raises `NotFound`."""
    mine = (customer.c.id == customer_id, customer.c.enterprise_id == enterprise_id)
    return _customer(tx.one(select(*_COLUMNS).where(*mine)))


def customers_by_id(tx: Transaction, ids: Collection[str] | Select[tuple[str]]) -> dict[str, Customer]:
    """Those of `ids`, or of what a statement selects, that exist, by id. For who may know them."""
    return {row["id"]: _customer(row) for row in tx.all(select(*_COLUMNS).where(customer.c.id.in_(ids)))}


def customer_by_email(tx: Transaction, enterprise_id: str, email: str) -> Customer:
    """The enterprise's customer with this address, in the form of `read_email`. Raises `NotFound` that names it."""
    row = tx.first(select(*_COLUMNS).where(customer.c.enterprise_id == enterprise_id, customer.c.email == email))
    if row is None:
        raise NotFound("no_customer", "There is no customer with the address {email}.", email=email)
    return _customer(row)


def list_customers(
    tx: Transaction, enterprise_id: str, *, search: str = "", category_id: str = "", after: str = "", limit: int = 50
) -> Sequence[Customer]:
    """The enterprise's customers by e-mail address, those after `after`: with every word of `search` in their name,
    address or code, and in the category where one is named.
    """
    found = select(*_COLUMNS).where(customer.c.enterprise_id == enterprise_id, customer.c.email > after)
    if search:
        found = found.where(matches(customer.c.search, search))
    if category_id:
        inside = select(customer_in_category.c.customer_id).where(customer_in_category.c.category_id == category_id)
        found = found.where(customer.c.id.in_(inside))
    return [_customer(row) for row in tx.all(found.order_by(customer.c.email).limit(limit))]


def _checked(given: CustomerFields, problems: list[Problem]) -> dict[str, Any]:
    """Values for the row; `categories` stand in another table."""
    values: dict[str, Any] = {}
    for name, most in (("name", 200), ("phone", 40), ("code", 40), ("note", 2000)):
        if name in given:
            text: str = given[name] or ""  # type: ignore[literal-required]
            values[name] = read_text(text, f"/{name}", problems, most=most, lines=name == "note")
    if "name" in values:
        refuse_links(values["name"], "/name", problems)
    if "code" in values:
        values["code"] = values["code"] or None
    return values


def _new_row(tx: Transaction, enterprise_id: str, email: str, values: Mapping[str, Any]) -> dict[str, Any]:
    row = {"name": "", "phone": "", "code": None, "note": "", **values}
    return {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "email": email,
        **row,
        "search": _search(email, row["name"], row["code"]),
        "created_at": tx.now,
        "version": 1,
    }


def _search(email: str, name: str, code: str | None) -> str:
    return search_key(f"{name} {email} {code or ''}")


def _code_taken(values: Mapping[str, Any]) -> Invalid:
    return Invalid(
        [Problem("code_taken", "Another customer has the code {code}.", "/code", {"code": values.get("code")})]
    )


def _customer(row: Row) -> Customer:
    listed = row["categories"]
    return Customer(**{**row, "categories": frozenset(listed.split(",") if listed else ())})
