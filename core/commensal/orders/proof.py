"""Decides to whom a new order belongs, and lets a guest prove it afterwards. `identity` explains the idea."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select

from ..base.errors import Refused
from ..enterprises.customers import CustomerOrNew, ask_for_customer, customer_by_id, customer_for
from ..enterprises.households import belongs_to, household_first, shared_customer_id
from ..enterprises.tables import customer as record
from ..enterprises.tables import customer_in_category
from ..people.second_factor import has_second_factor
from ..people.tables import person
from ..storage.database import Transaction
from .guests import note_confirmed
from .lock import locked_guest_order
from .questions import order_by_id
from .sale_context import STRANGER, KnownCustomer, known_customer_by_id, known_customer_from
from .tables import order_link
from .values import Identity, Order, Wish
from .write import change_row

_CUSTOMER_OF_PERSON = (
    select(person.c.email, person.c.confirmed_at, record.c.id.label("customer_id"), customer_in_category.c.category_id)
    .select_from(person)
    .outerjoin(record, and_(record.c.enterprise_id == bindparam("enterprise"), belongs_to(bindparam("person"))))
    .outerjoin(customer_in_category, customer_in_category.c.customer_id == record.c.id)
    .where(person.c.id == bindparam("person"))
    .order_by(*household_first(bindparam("person")))
)


class _CustomerOfPerson(NamedTuple):
    """An account, with its customer at a shop and one of the customer's categories; None where there is none."""

    email: str
    confirmed_at: datetime | None
    customer_id: str | None
    category_id: str | None


class CustomerRecord(NamedTuple):
    """The shop's record for the customer of an order.

    id:     None: of somebody without an address, for whom the shop ordered
    is_new: it was created for this order, and is not announced to plugins yet
    """

    id: str | None
    is_new: bool


@dataclass(frozen=True)
class OrderOwner:
    """The owner of an order, as the order records it.

    email:     where its e-mails go: the confirmed address of the account that is logged in, whatever was typed
    customer:  the customer for whom the order is priced: `STRANGER` while the identity is typed
    person_id: the account that placed it or joined it; None: of a guest
    record:    returns the shop's record, for a typed identity that for the address that was typed (`Transaction.ask`)
    """

    identity: Identity
    email: str
    customer: KnownCustomer
    person_id: str | None
    record: Callable[[], CustomerRecord]


def identify(
    tx: Transaction,
    enterprise_id: str,
    wish: Wish,
    email: str,
    *,
    person_id: str | None = None,
    by_hub: bool = False,
    customer_id: str | None = None,
) -> OrderOwner:
    """Returns the owner of a new order. `email` is the address that was typed, as `read_email` normalises it.

    An account with a confirmed address orders under that address: an order counts as proven, and nobody else has said
    that they want it.
    `person_id` is the account that is logged in; if it belongs to a household, the customer is that of the household.
    `by_hub` means that the shop itself names the customer, by `customer_id` or by address; it is False for a platform
    that orders with the shop's rights. Such an order belongs to the account that has confirmed the customer's address;
    without id and address to nobody's record: a name and a telephone number prove nothing to who signs up later.
    Raises `NotFound` for a customer of another enterprise.
    """
    name = wish.name.strip()
    if by_hub and not email and customer_id is None:
        return OrderOwner(Identity.BY_HUB, email, STRANGER, None, lambda: CustomerRecord(None, is_new=False))
    if by_hub:
        customer, is_new = _customer_of_hub(tx, enterprise_id, email, customer_id, name=name, phone=wish.phone)
        known, record = KnownCustomer(customer.id, customer.categories), CustomerRecord(customer.id, is_new)
        return OrderOwner(Identity.BY_HUB, email, known, customer.person_id, lambda: record)
    rows: list[_CustomerOfPerson] = []
    if person_id is not None:
        rows = tx.rows(_CustomerOfPerson, _CUSTOMER_OF_PERSON, {"enterprise": enterprise_id, "person": person_id})
    confirmed_email = rows[0].email if rows and rows[0].confirmed_at else None
    email = confirmed_email or email
    categories = [(row.customer_id, row.category_id) for row in rows if row.customer_id is not None]
    if categories:
        record = CustomerRecord(categories[0][0], is_new=False)
        known = known_customer_from(categories)
        return OrderOwner(Identity.PROVEN, email, known, person_id, lambda: record)
    stored = ask_for_customer(
        tx, enterprise_id, email=email, name=name, phone=wish.phone, person_id=person_id if confirmed_email else None
    )
    if confirmed_email is not None and stored().customer.person_id == person_id:
        identity, known = Identity.PROVEN, KnownCustomer(stored().customer.id, stored().customer.categories)
    else:
        identity, known = Identity.TYPED, STRANGER
    return OrderOwner(identity, email, known, person_id, lambda: CustomerRecord(stored().customer.id, stored().is_new))


def _customer_of_hub(
    tx: Transaction, enterprise_id: str, email: str, customer_id: str | None, *, name: str, phone: str
) -> CustomerOrNew:
    """Returns the customer for whom the hub orders, linked to the account that has confirmed the customer's address.

    For the address of somebody in a household, that is the customer of the household.
    """
    if customer_id is None:
        customer_id = shared_customer_id(tx, enterprise_id, email=email)
    if customer_id is not None:
        customer = customer_by_id(tx, enterprise_id, customer_id)
        if customer.person_id is not None:
            return CustomerOrNew(customer, is_new=False)
        email = customer.email
    return ask_for_customer(tx, enterprise_id, email=email, name=name, phone=phone, by_hub=True)()


def known_customer_of(tx: Transaction, order: Order) -> KnownCustomer:
    """Returns the customer for whom a placed order is priced: `STRANGER` while its identity is typed."""
    return STRANGER if order.customer_id is None else known_customer_by_id(tx, order.customer_id)


# ------------------------------------------------------------------------------------------- mailed links


def is_mailed(tx: Transaction, order: Order, secret_hash: str) -> bool:
    """Tells whether this secret of the order was sent by e-mail; the other secret went to the browser that ordered."""
    link = order_link.c
    return tx.value(select(link.order_id).where(link.secret_hash == secret_hash, link.order_id == order.id)) is not None


def prove_order(tx: Transaction, secret_hash: str, *, person_id: str | None = None) -> Order:
    """Marks the order's identity as proven, because the caller holds the link from its e-mail. Returns the order.

    The secret that the browser got when it placed the order stops working: somebody else may have typed the address.
    If `person_id`, the account that is logged in, owns the address, the order joins its history and opens only after
    logging in. Proving twice is harmless. `claim.claim_order` also prices it for its customer.

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
    is_owner = person_id is not None and customer.person_id == person_id
    shared_id = shared_customer_id(tx, order.enterprise_id, person_id=person_id) if is_owner and person_id else None
    if not is_owner and customer.person_id is not None and has_second_factor(tx, customer.person_id):
        text = "This address has an account with a second factor. Log in, then follow the link again."
        raise Refused("log_in_first", text)
    if order.identity is not Identity.TYPED and not is_owner:
        return order
    values = {
        "identity": Identity.PROVEN if order.identity is Identity.TYPED else order.identity,
        "customer_id": shared_id or customer.id,
        "secret_hash": None,
        "person_id": person_id if is_owner else None,
    }
    change_row(tx, order.id, order.version, values)
    if order.identity is Identity.TYPED:
        note_confirmed(tx, [order.id])
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
