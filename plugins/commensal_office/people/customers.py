"""Customers: find one, see what they ordered and what they have, add them one by one, and put them into groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from commensal import Customer, Invalid, NotFound, Problem, Transaction, customer_by_id, list_categories
from commensal.enterprises import (
    CustomerCategory,
    change_customer,
    count_customers,
    create_category,
    create_customer,
    delete_category,
    list_customers,
    people_of_households,
    rename_category,
)
from commensal.pages import Visit, on_refusal, page_parts
from commensal.parts.accounts import remove_from_household
from commensal.parts.distribution import summaries_of_customer
from commensal.parts.membership import CustomerListReport, import_customers, read_customers

from ..frame.desk import Desk, open_desk
from ..frame.render import show

_ON_A_PAGE = 50  # customers
_LONGEST = 100  # characters of a search
_TEXTS = ("name", "phone", "code", "note")
_GROUP = "group/"  # before the id of a group, in the names of fields
_FIELDS = {"email", *_TEXTS}


def customers_page(visit: Visit) -> Response:
    words = visit.query.get("q", "").strip()[:_LONGEST]
    group, after = visit.query.get("group", "")[:64], visit.query.get("after", "")[:254]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "customers:read")
        shop = desk.enterprise.id
        groups = list_categories(tx, shop)
        customers = list_customers(tx, shop, search=words, category_id=group, after=after, limit=_ON_A_PAGE)
        count = count_customers(tx, shop, search=words, category_id=group)
    return show(
        visit,
        desk,
        "customers",
        at="customers",
        customers=customers,
        groups=groups,
        words=words,
        group=group,
        total=count,
        names={each.id: each.name for each in groups},
        is_first=not after,
        imported=visit.query.get("imported", ""),
        next=customers[-1].email if len(customers) == _ON_A_PAGE else "",
    )


def new_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "customers:write")
        groups = list_categories(tx, desk.enterprise.id)
    chosen = frozenset(_chosen(visit, groups))
    return show(
        visit,
        desk,
        "new_customer",
        at="customers",
        typed={name: visit.form.get(name, "") for name in _FIELDS},
        groups=groups,
        chosen=chosen,
    )


@on_refusal(new_page)
def post_new(visit: Visit) -> Response:
    with visit.write() as tx:
        desk = open_desk(tx, visit, "customers:write")
        groups = _chosen(visit, list_categories(tx, desk.enterprise.id))
        texts: Any = _typed_texts(visit)
        customer = create_customer(
            tx, desk.enterprise.id, email=visit.form.get("email", ""), categories=groups, **texts
        )
    return visit.redirect(f"{desk.address}/customers/{customer.id}?done=added")


def customer_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk, customer = _of_path(tx, visit, "customers:read")
        shop = desk.enterprise.id
        orders = summaries_of_customer(tx, shop, customer.id) if desk.may("orders:read") else []
        groups = list_categories(tx, shop)
        household = people_of_households(tx, [customer.id]).get(customer.id, ())
        parts = page_parts(tx, visit, "customer", shop, desk.scopes, subject=customer.id)
    stored = {name: getattr(customer, name) or "" for name in _TEXTS}
    chosen = frozenset(_chosen(visit, groups)) if visit.form else customer.categories
    return show(
        visit,
        desk,
        "customer",
        at="customers",
        customer=customer,
        orders=orders,
        groups=groups,
        chosen=chosen,
        household=household,
        added_parts=parts,
        typed=_typed_texts(visit) if visit.form else stored,
        done=visit.query.get("done", ""),
        version=visit.form.get("version", "") or str(customer.version),
        spent=sum(order.total for order in orders if order.state != "Cancelled"),
    )


def _typed_texts(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "") for name in _TEXTS}


@on_refusal(customer_page)
def post_customer(visit: Visit) -> Response:
    """Saves what the shop writes about a customer. Raises `Stale` as a mistake if somebody else did so meanwhile."""
    with visit.write() as tx:
        desk, customer = _of_path(tx, visit, "customers:write")
        groups = _chosen(visit, list_categories(tx, desk.enterprise.id))
        changes: Any = {**_typed_texts(visit), "categories": groups}
        change_customer(tx, desk.enterprise.id, customer.id, visit.form_version, **changes)
    return visit.redirect(f"{desk.address}/customers/{customer.id}?done=saved")


def post_leave(visit: Visit) -> Response:
    """Removes a person from the household of the customer."""
    with visit.write() as tx:
        desk, customer = _of_path(tx, visit, "customers:write")
        remove_from_household(tx, desk.enterprise.id, customer.id, visit.form.get("person", ""))
    return visit.redirect(f"{desk.address}/customers/{customer.id}?done=removed")


def _of_path(tx: Transaction, visit: Visit, scope: str) -> tuple[Desk, Customer]:
    desk = open_desk(tx, visit, scope)
    return desk, customer_by_id(tx, desk.enterprise.id, visit.path["customer"])


def _chosen(visit: Visit, groups: Sequence[CustomerCategory]) -> list[str]:
    """The ids of the groups that the form has ticked."""
    return [group.id for group in groups if f"{_GROUP}{group.id}" in visit.form]


# Takes over a list of customers from a spreadsheet: shown first, with every mistake, then saved whole.

LARGEST_FILE = 300_000  # bytes; the form that saves it holds it once more, as text


def customers_import_page(visit: Visit, *, report: CustomerListReport | None = None, content: str = "") -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "customers:write")
    return show(
        visit,
        desk,
        "customer_import",
        at="customers",
        report=report,
        content=content,
        cells=visit.form.get("cells", ""),
    )


@on_refusal(customers_import_page, ())
def post_customers_import(visit: Visit) -> Response:
    """Shows what a list would change, with every mistake; or saves the list that was shown."""
    saves = visit.query.get("then") == "save"
    content = _content(visit)
    listed = read_customers(content)
    with visit.write() if saves else visit.read() as tx:
        desk = open_desk(tx, visit, "customers:write")
        report = import_customers(tx, desk.enterprise.id, listed, dry_run=not saves)
    if saves:
        return visit.redirect(f"{desk.address}/customers?imported={report.created + report.changed}")
    return customers_import_page(visit, report=report, content=content.decode("utf-8-sig", errors="replace"))


def _content(visit: Visit) -> bytes:
    """The list: an uploaded file, or pasted cells. Raises `Invalid`."""
    content = visit.body or visit.form.get("cells", "").encode()
    if not content.strip():
        raise Invalid([Problem("no_list", "Choose a file, or paste the cells of your spreadsheet.")])
    if len(content) > LARGEST_FILE:
        text = "This list is larger than {most} KB. Hand it in in parts."
        raise Invalid([Problem("too_large", text, values={"most": LARGEST_FILE // 1000})])
    return content


# Groups of customers, who may see other goods and other prices.


def groups_page(visit: Visit) -> Response:
    leaving_id = visit.query.get("ask", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "customers:read")
        groups = list_categories(tx, desk.enterprise.id)
        leaving = next((group for group in groups if group.id == leaving_id), None)
        members = count_customers(tx, desk.enterprise.id, category_id=leaving.id) if leaving else 0
    return show(
        visit,
        desk,
        "groups",
        at="customers",
        groups=groups,
        typed=visit.form.get("name", "") if visit.query.get("then") == "add" else "",
        leaving=leaving,
        members=members,
        done=visit.query.get("done", ""),
        may_write=desk.may("customers:write"),
        may_price=desk.may("catalogs:write"),
    )


def _is_field_of_new(visit: Visit, name: str) -> bool:
    return name == "name" and visit.query.get("then") == "add"


@on_refusal(groups_page, _is_field_of_new)
def post_groups(visit: Visit) -> Response:
    """Adds, renames or deletes a group."""
    action, name, group = visit.query.get("then", ""), visit.form.get("name", ""), visit.form.get("group", "")
    with visit.write() as tx:
        desk = open_desk(tx, visit, "customers:write")
        shop = desk.enterprise.id
        if action == "add":
            create_category(tx, shop, name=name)
        elif action == "rename":
            rename_category(tx, shop, group, visit.form_version, name=name)
        elif action == "delete":
            delete_category(tx, shop, group, visit.form_version)
        else:
            raise NotFound
    return visit.redirect(f"{desk.address}/groups?done={action}")
