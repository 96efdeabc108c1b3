"""Customers of an enterprise: one for each e-mail address, with or without an account."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypedDict, Unpack

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal_column, select
from sqlalchemy.sql.dml import ReturningInsert

from ..base.errors import Conflict, Invalid, NotFound, Problem
from ..base.plugin_fields import PluginValues, read_plugin_values
from ..base.search import matches, search_key
from ..base.texts import read_phone, read_text, refuse_links
from ..events.announce import announce
from ..hooks import specifications
from ..people.email import read_email
from ..people.tables import person
from ..storage.database import Row, Transaction, edit_row, insert_on, insert_or, refuse_conflict
from .customer_categories import set_categories
from .households import belongs_to, household_first
from .plugins import enabled_plugins
from .tables import customer, customer_in_category


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A person or organisation that buys from one enterprise, as recorded by that enterprise.

    `code` is the enterprise's own reference. `person_id` is the customer's account, once its address is confirmed.
    Every enterprise has its own record of the same person. `plugin_fields` are values of fields that plugins declare.
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
    plugin_fields: PluginValues


class CustomerFields(TypedDict, total=False):
    name: str
    phone: str
    code: str | None
    note: str
    categories: Collection[str]
    plugin_fields: PluginValues


# The customer's categories, joined by commas (ids contain none), in the same statement. The outer row is named as text,
# because SQLAlchemy cannot correlate a subquery that stands after RETURNING.
_CATEGORIES = (
    select(func.aggregate_strings(customer_in_category.c.category_id, ","))
    .where(customer_in_category.c.customer_id == literal_column("customer.id"))
    .scalar_subquery()
    .label("categories")
)
_COLUMNS = [customer.c[field.name] if field.name != "categories" else _CATEGORIES for field in fields(Customer)]


def customer_for(
    tx: Transaction,
    enterprise_id: str,
    *,
    email: str,
    name: str,
    phone: str = "",
    person_id: str | None = None,
    by_hub: bool = False,
) -> Customer:
    """Returns the customer with this address (as `read_email` returns it); creates and announces one if needed.

    The arguments are those of `ask_for_customer`.
    """
    record, is_new = ask_for_customer(
        tx, enterprise_id, email=email, name=name, phone=phone, person_id=person_id, by_hub=by_hub
    )()
    if is_new:
        announce_customers(tx, [record.id])
    return record


def announce_customers(tx: Transaction, customer_ids: Collection[str]) -> None:
    """Announces new customers to plugins, by one query and one insert."""
    announce(tx, specifications.customer_created, customer, customer.c.id.in_(customer_ids))


class CustomerOrNew(NamedTuple):
    """A customer, and whether it was created just now."""

    customer: Customer
    is_new: bool


def ask_for_customer(
    tx: Transaction,
    enterprise_id: str,
    *,
    email: str,
    name: str,
    phone: str = "",
    person_id: str | None = None,
    by_hub: bool = False,
) -> Callable[[], CustomerOrNew]:
    """Asks for the customer with this address (as `read_email` returns it), which is created if needed, by a statement
    of `Transaction.ask`. Returns a function that returns it; the caller announces a customer who is new.

    `person_id` is the logged-in person. The customer is linked to them only if the address is theirs and confirmed:
    otherwise anybody could see the orders of another person by typing their address. `by_hub` means that the
    enterprise itself names its customer: then the customer is linked to whoever has confirmed the address. The name,
    phone and notes of an existing customer stay as they are.
    """
    row = new_row(tx, enterprise_id, email, {"name": name, "phone": phone})
    owner = {"address": email} if by_hub else {} if person_id is None else {"owner": person_id, "address": email}
    stored = tx.ask(_upsert_statement(tx.postgresql, tuple(row), tuple(owner)), {**row, **owner})

    def answer() -> CustomerOrNew:
        record = _customer_from(stored())
        return CustomerOrNew(record, is_new=record.id == row["id"])

    return answer


@cache
def _upsert_statement(
    postgresql: bool, names: tuple[str, ...], owner_names: tuple[str, ...]
) -> ReturningInsert[*tuple[object, ...]]:
    """The statement of `ask_for_customer`; cached, since every order runs it. `owner_names` are its parameters that
    select the customer's person; without any, it links none."""
    owner = select(person.c.id).where(person.c.email == bindparam("address"), person.c.confirmed_at.is_not(None))
    if "owner" in owner_names:
        owner = owner.where(person.c.id == bindparam("owner"))
    insertion = insert_on(postgresql, customer).values(
        {name: bindparam(name, type_=customer.c[name].type) for name in names}
        | {"person_id": owner.scalar_subquery() if owner_names else None}
    )
    new_owner = insertion.excluded.person_id
    adopted = case((customer.c.person_id.is_(None) & new_owner.is_not(None), 1), else_=0)
    upsert = insertion.on_conflict_do_update(
        index_elements=["enterprise_id", "email"],
        set_={"person_id": func.coalesce(customer.c.person_id, new_owner), "version": customer.c.version + adopted},
    )
    return upsert.returning(*_COLUMNS)


def create_customer(
    tx: Transaction, enterprise_id: str, *, email: str, **attributes: Unpack[CustomerFields]
) -> Customer:
    """Creates a customer on behalf of the enterprise, linked to the person who has confirmed this address, if any.

    Raises `Invalid` with every mistake, `Conflict` if there is a customer with this address already.
    """
    problems: list[Problem] = []
    address = read_email(email)
    if isinstance(address, Problem):
        problems.append(address)
    values = read_attributes({"name": "", **attributes}, problems)
    values |= _plugin_values(tx, enterprise_id, attributes, {}, problems)
    if problems or isinstance(address, Problem):
        raise Invalid(problems)
    owner = select(person.c.id).where(person.c.email == address, person.c.confirmed_at.is_not(None))
    row = {**new_row(tx, enterprise_id, address, values), "person_id": owner.scalar_subquery()}
    with refuse_conflict(tx, duplicate=_code_taken(values)):
        new = insert_or(tx, customer).values(row).on_conflict_do_nothing(index_elements=["enterprise_id", "email"])
        inserted = tx.execute(new).rowcount
    if inserted != 1:
        raise Conflict("customer_exists", "There is a customer with the address {email} already.", email=address)
    set_categories(tx, enterprise_id, row["id"], attributes.get("categories", ()))
    announce_customers(tx, [row["id"]])
    return customer_by_id(tx, enterprise_id, row["id"])


def change_customer(
    tx: Transaction, enterprise_id: str, customer_id: str, version: int, **changes: Unpack[CustomerFields]
) -> Customer:
    """Changes the enterprise's record of a customer; `categories` replaces all categories of the customer.

    Raises `Invalid` with every mistake, `NotFound`, `Stale`.
    """
    problems: list[Problem] = []
    before = customer_by_id(tx, enterprise_id, customer_id)
    values = read_attributes(changes, problems, phone=before.phone)
    values |= _plugin_values(tx, enterprise_id, changes, before.plugin_fields, problems)
    if problems:
        raise Invalid(problems)
    after = {"name": before.name, "code": before.code, **values}
    values["search"] = search_text(before.email, after["name"], after["code"])
    conditions = (customer.c.id == customer_id, customer.c.enterprise_id == enterprise_id)
    with refuse_conflict(tx, duplicate=_code_taken(values)):
        edit_row(tx, customer, *conditions, version=version, values=values)
    if "categories" in changes:
        set_categories(tx, enterprise_id, customer_id, changes["categories"])
    return customer_by_id(tx, enterprise_id, customer_id)


def customer_by_id(tx: Transaction, enterprise_id: str, customer_id: str) -> Customer:
    """One of the enterprise's customers. Raises `NotFound`."""
    conditions = (customer.c.id == customer_id, customer.c.enterprise_id == enterprise_id)
    return _customer_from(tx.one(select(*_COLUMNS).where(*conditions)))


def customers_by_id(tx: Transaction, ids: Collection[str] | Select[tuple[str]]) -> dict[str, Customer]:
    """The existing customers among `ids` (ids, or a statement that selects them), by id. Checks no permission."""
    return {row["id"]: _customer_from(row) for row in tx.all(select(*_COLUMNS).where(customer.c.id.in_(ids)))}


def customers_of_person(tx: Transaction, person_id: str) -> list[Customer]:
    """The record that counts for this person at each enterprise: that of their household, or the oldest one of theirs,
    by enterprise; at most 100."""
    ordered = (customer.c.enterprise_id, *household_first(person_id))
    customers: dict[str, Customer] = {}
    for row in tx.all(select(*_COLUMNS).where(belongs_to(person_id)).order_by(*ordered).limit(100)):
        customers.setdefault(row["enterprise_id"], _customer_from(row))
    return list(customers.values())


def customer_by_email(tx: Transaction, enterprise_id: str, email: str) -> Customer:
    """The enterprise's customer with this address, as `read_email` returns it. Raises `NotFound` naming the address."""
    row = tx.first(select(*_COLUMNS).where(customer.c.enterprise_id == enterprise_id, customer.c.email == email))
    if row is None:
        raise NotFound("no_customer", "There is no customer with the address {email}.", email=email)
    return _customer_from(row)


def customers_by_email(
    tx: Transaction, enterprise_id: str, emails: Collection[str], *, lock: bool = False
) -> dict[str, Customer]:
    """The enterprise's customers with these addresses (as `read_email` returns them), by address; `lock` locks them
    until the transaction ends."""
    query = select(*_COLUMNS).where(
        customer.c.enterprise_id == enterprise_id, customer.c.email.in_(sorted(set(emails)))
    )
    query = query.order_by(customer.c.id)
    rows = tx.all(query.with_for_update(of=customer) if lock else query)
    return {row["email"]: _customer_from(row) for row in rows}


def list_customers(
    tx: Transaction, enterprise_id: str, *, search: str = "", category_id: str = "", after: str = "", limit: int = 50
) -> Sequence[Customer]:
    """The enterprise's customers ordered by e-mail address, beginning after the address `after`.

    Only those with every word of `search` in their name, address or code, and in the category `category_id` if given.
    """
    query = select(*_COLUMNS).where(*_selected(enterprise_id, search, category_id), customer.c.email > after)
    return [_customer_from(row) for row in tx.all(query.order_by(customer.c.email).limit(limit))]


def count_customers(tx: Transaction, enterprise_id: str, *, search: str = "", category_id: str = "") -> int:
    """The number of customers whom `list_customers` lists, on all its pages together."""
    count: int = tx.value(select(func.count(customer.c.id)).where(*_selected(enterprise_id, search, category_id)))
    return count


def _selected(enterprise_id: str, search: str, category_id: str) -> list[ColumnElement[bool]]:
    conditions = [customer.c.enterprise_id == enterprise_id]
    if search:
        conditions.append(matches(customer.c.search, search))
    if category_id:
        members = select(customer_in_category.c.customer_id).where(customer_in_category.c.category_id == category_id)
        conditions.append(customer.c.id.in_(members))
    return conditions


_LONGEST: Final[tuple[tuple[Literal["name", "code", "note"], int], ...]] = (("name", 200), ("code", 40), ("note", 2000))


def read_attributes(attributes: CustomerFields, problems: list[Problem], *, phone: str = "") -> Row:
    """Column values of a customer; leaves out `categories`, which have a table of their own. `phone` is the number that
    is stored so far."""
    values: dict[str, Any] = {}
    for name, most in _LONGEST:
        if name in attributes:
            values[name] = read_text(attributes[name] or "", f"/{name}", problems, most=most, lines=name == "note")
    if "phone" in attributes:
        values["phone"] = read_phone(attributes["phone"] or "", "/phone", problems, stored=phone)
    if "name" in values:
        refuse_links(values["name"], "/name", problems)
    if "code" in values:
        values["code"] = values["code"] or None
    return values


def _plugin_values(
    tx: Transaction, enterprise_id: str, attributes: CustomerFields, before: PluginValues, problems: list[Problem]
) -> dict[str, object]:
    """The column of values of plugins' fields, if they are among the attributes. Adds mistakes to `problems`."""
    if "plugin_fields" not in attributes:
        return {}
    declared = tx.plugin_fields.customers.of(enabled_plugins(tx, enterprise_id))
    return {"plugin_fields": read_plugin_values(declared, attributes["plugin_fields"], before, problems)}


def new_row(tx: Transaction, enterprise_id: str, email: str, values: Mapping[str, Any]) -> dict[str, Any]:
    row = {"name": "", "phone": "", "code": None, "note": "", "plugin_fields": {}, **values}
    return {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "email": email,
        **row,
        "search": search_text(email, row["name"], row["code"]),
        "created_at": tx.now,
        "version": 1,
    }


def search_text(email: str, name: str, code: str | None) -> str:
    return search_key(f"{name} {email} {code or ''}")


def _code_taken(values: Mapping[str, object]) -> Invalid:
    return Invalid(
        [Problem("code_taken", "Another customer has the code {code}.", "/code", {"code": values.get("code")})]
    )


def _customer_from(row: Row) -> Customer:
    category_ids = row["categories"]
    return Customer(**{**row, "categories": frozenset(category_ids.split(",") if category_ids else ())})
