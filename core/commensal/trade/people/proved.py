"""An address is proved: what shops have written down under it, and what was ordered with its account, becomes theirs.

Called by everything that confirms an address, so that it makes no difference how that came about.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update

from ...storage.database import Transaction
from ..enterprises.customers import customer_for
from ..enterprises.tables import customer
from ..orders.identity import Identity
from ..orders.tables import customer_order

_order = customer_order.c


def adopt(tx: Transaction, person_id: str, email: str, name: str, *, own_orders: bool) -> None:
    """Gives the owner of the confirmed `email` (in the form of `read_email`) their customer records and their orders.

    Records that nobody owns yet; into their history, orders of guests that were proven by a mailed link, or that the
    shop took for them; and with `own_orders` what this account has ordered before. Not where the account was taken over
    by a new password: then a stranger may have made it, and ordered with it. What somebody has only typed stays as it
    is.
    """
    orphans = update(customer).where(customer.c.email == email, customer.c.person_id.is_(None))
    tx.execute(orphans.values(person_id=person_id, version=customer.c.version + 1))
    if own_orders:
        _prove_own_orders(tx, person_id, email, name)
    record = exists().where(customer.c.id == _order.customer_id, customer.c.person_id == person_id)
    theirs = update(customer_order).where(
        record, _order.person_id.is_(None), _order.identity != Identity.TYPED, _order.state != "Draft"
    )
    tx.execute(theirs.values(person_id=person_id, version=_order.version + 1))


def _prove_own_orders(tx: Transaction, person_id: str, email: str, name: str) -> None:
    own = (_order.person_id == person_id, _order.identity == Identity.TYPED, _order.state != "Draft")
    for row in tx.all(select(_order.enterprise_id).where(*own).distinct()):
        shop = row["enterprise_id"]
        record = customer_for(tx, shop, email=email, name=name, person_id=person_id)
        if record.person_id == person_id:
            proven = update(customer_order).where(*own, _order.enterprise_id == shop)
            values = {"identity": Identity.PROVEN, "customer_id": record.id, "version": _order.version + 1}
            tx.execute(proven.values(values))
