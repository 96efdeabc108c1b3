"""A code for the demo region: the first hub greets new customers with something off their first order."""

from __future__ import annotations

from decimal import Decimal

from commensal import DemoPlace, Transaction, hookimpl, list_enterprises

from .making import Terms, add_voucher


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool:
    """BIENVENUE spares a tenth of an order from 20 euros of goods on, once for each customer."""
    if list_enterprises(tx, kind="hub", limit=1)[0].id != place.enterprise_id:
        return False
    terms = Terms(kind="percent", percent=Decimal(10), name="Première commande", minimum=2000, most=1000, once=True)
    add_voucher(tx, place.enterprise_id, terms, code="BIENVENUE")
    return True
