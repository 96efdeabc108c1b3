"""Links customer records and orders to a person whose address has just been confirmed.

Every way of confirming an address calls this, so that all have the same effect.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update

from ...enterprises.customers import customer_for
from ...enterprises.tables import customer
from ...orders.guests import note_confirmed
from ...orders.identity import Identity
from ...orders.tables import customer_order
from ...storage.database import Transaction

_order = customer_order.c


def link_customer_records(tx: Transaction, person_id: str, email: str, name: str, *, own_orders: bool) -> None:
    """Links customer records and orders of the confirmed `email` (as `read_email` returns it) to the person.

    Links customer records of the address that have no owner, and their orders as a guest, if a mailed link has proved
    them or the shop took them. With `own_orders` also orders that this account placed under this address before: not
    after a reset of the password, since a stranger may have made the account and ordered with it. Orders with an
    address that was only typed stay as they are.
    """
    statement = update(customer).where(customer.c.email == email, customer.c.person_id.is_(None))
    tx.execute(statement.values(person_id=person_id, version=customer.c.version + 1))
    if own_orders:
        _prove_own_orders(tx, person_id, email, name)
    record = exists().where(customer.c.id == _order.customer_id, customer.c.person_id == person_id)
    orders = update(customer_order).where(
        record, _order.person_id.is_(None), _order.identity != Identity.TYPED, _order.state != "Draft"
    )
    tx.execute(orders.values(person_id=person_id, version=_order.version + 1))


def _prove_own_orders(tx: Transaction, person_id: str, email: str, name: str) -> None:
    mine = (_order.person_id == person_id, _order.email == email)
    conditions = (*mine, _order.identity == Identity.TYPED, _order.state != "Draft")
    for row in tx.all(select(_order.enterprise_id).where(*conditions).distinct()):
        shop = row["enterprise_id"]
        record = customer_for(tx, shop, email=email, name=name, person_id=person_id)
        if record.person_id == person_id:
            note_confirmed(tx, select(_order.id).where(*conditions, _order.enterprise_id == shop))
            statement = update(customer_order).where(*conditions, _order.enterprise_id == shop)
            values = {"identity": Identity.PROVEN, "customer_id": record.id, "version": _order.version + 1}
            tx.execute(statement.values(values))
