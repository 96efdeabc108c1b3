"""A code for the demo region: the first hub gives new customers a discount on their first order."""

from __future__ import annotations

from decimal import Decimal

from commensal import DemoPlace, Transaction, hookimpl, list_enterprises

from .create import VoucherTerms, add_voucher


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool:
    """Adds BIENVENUE: a tenth off an order of at least 20 euros of goods, once for each customer."""
    if list_enterprises(tx, kind="hub", limit=1)[0].id != place.enterprise_id:
        return False
    terms = VoucherTerms(
        kind="percent", percent=Decimal(10), name="Première commande", minimum=2000, most=1000, once=True
    )
    add_voucher(tx, place.enterprise_id, terms, code="BIENVENUE")
    return True
