"""Decides whose an order is when it is placed, and lets a guest prove it afterwards. See `identity` for the idea."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select

from ...base.errors import Refused
from ...storage.database import Transaction
from ..enterprises.customers import customer_by_id, customer_for
from ..enterprises.tables import customer as record
from ..enterprises.tables import customer_in_category
from ..people.second_factor import has_second_factor
from ..people.tables import person
from .identity import Identity
from .lock import locked_guest_order
from .questions import order_by_id
from .selling import STRANGER, Known, categories_of, known_from
from .tables import order_link
from .values import Order, Wish
from .write import change_row

_WHO = (
    select(person.c.email, person.c.confirmed_at, record.c.id, customer_in_category.c.category_id)
    .outerjoin(record, and_(record.c.person_id == person.c.id, record.c.enterprise_id == bindparam("enterprise")))
    .outerjoin(customer_in_category, customer_in_category.c.customer_id == record.c.id)
    .where(person.c.id == bindparam("person"))
    .order_by(record.c.id)
)


@dataclass(frozen=True)
class Whose:
    """Whose an order is, as it is written down with it.

    record_id: the shop's record for the customer; for a typed identity, the record for the address that was typed
    known:     with what the order is priced: nothing while the identity is typed
    """

    identity: Identity
    record_id: str
    known: Known


def identify(
    tx: Transaction,
    enterprise_id: str,
    wish: Wish,
    email: str,
    *,
    person_id: str | None = None,
    by_hub: bool = False,
    customer_id: str | None = None,
) -> Whose:
    """Whose a new order is. `email` is the address that the order names, in the form of `read_email`.

    `person_id` is who is logged in. `by_hub` says that the shop itself names the customer, by `customer_id` or by the
    address: not a platform or anybody else who orders through the shop's rights. Raises `NotFound` for a customer of
    another enterprise.
    """
    if by_hub and customer_id is not None:
        customer = customer_by_id(tx, enterprise_id, customer_id)
        return Whose(Identity.BY_HUB, customer.id, Known(customer.id, customer.categories))
    contact = {"name": wish.name.strip(), "phone": wish.phone}
    if by_hub:
        customer = customer_for(tx, enterprise_id, email=email, **contact)
        return Whose(Identity.BY_HUB, customer.id, Known(customer.id, customer.categories))
    rows = tx.all(_WHO, {"enterprise": enterprise_id, "person": person_id}) if person_id is not None else []
    if rows and rows[0]["id"] is not None:
        return Whose(Identity.PROVEN, rows[0]["id"], known_from(rows))
    own = rows[0]["email"] if rows and rows[0]["confirmed_at"] else None
    customer = customer_for(tx, enterprise_id, email=own or email, **contact, person_id=person_id if own else None)
    if own is not None and customer.person_id == person_id:
        return Whose(Identity.PROVEN, customer.id, Known(customer.id, customer.categories))
    return Whose(Identity.TYPED, customer.id, STRANGER)


def known_of(tx: Transaction, order: Order) -> Known:
    """The customer and the categories with which a placed order is priced: a stranger's while its identity is typed."""
    return STRANGER if order.customer_id is None else categories_of(tx, order.customer_id)


# ------------------------------------------------------------------------------------------- mailed links


def is_mailed(tx: Transaction, order: Order, secret_hash: str) -> bool:
    """Whether this secret of the order has come by mail; the other one was given to who placed the order."""
    row = order_link.c
    return tx.value(select(row.order_id).where(row.secret_hash == secret_hash, row.order_id == order.id)) is not None


def prove_order(tx: Transaction, secret_hash: str, *, person_id: str | None = None) -> Order:
    """Whoever holds the mailed link says that the order is theirs: its identity is proven from now on.

    From then on the secret that was given to who placed the order opens nothing any more: it might be somebody else who
    typed the address. If `person_id`, who is logged in, owns the address, the order belongs to their history, and is
    reached by logging in only. Proving twice is fine. Prices change when the order is next priced.

    Raises `NotFound`; `Refused` for a secret that did not come by mail, and where the address belongs to an account
    with a second factor, for which reading its mail is not enough.
    """
    order = locked_guest_order(tx, secret_hash, person_id=person_id)
    if not is_mailed(tx, order, secret_hash):
        text = "Follow the link in the e-mail about this order: it shows that the address is yours."
        raise Refused("not_mailed", text)
    customer = customer_for(
        tx, order.enterprise_id, email=order.email, name=order.name, phone=order.phone, person_id=person_id
    )
    mine = person_id is not None and customer.person_id == person_id
    if not mine and customer.person_id is not None and has_second_factor(tx, customer.person_id):
        text = "This address has an account with a second factor. Log in, then follow the link again."
        raise Refused("log_in_first", text)
    if order.identity is not Identity.TYPED and not mine:
        return order
    values = {
        "identity": Identity.PROVEN if order.identity is Identity.TYPED else order.identity,
        "customer_id": customer.id,
        "secret_hash": None,
        "person_id": person_id if mine else None,
    }
    change_row(tx, order.id, order.version, values)
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
