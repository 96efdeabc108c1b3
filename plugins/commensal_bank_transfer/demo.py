"""Bank transfers for the demo region: every hub has the example account of the IBAN registry."""

from __future__ import annotations

from commensal import DemoPlace, Transaction, change_plugin, enterprise_by_id, hookimpl

from .settings import LONGEST_HOLDER

_IBAN = "FR14 2004 1010 0505 0001 3M02 606"  # the example for France in the ISO 13616 registry


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool:
    holder = enterprise_by_id(tx, place.enterprise_id).name[:LONGEST_HOLDER]
    hooks, settings = place.instance.hooks, {"holder": holder, "iban": _IBAN}
    change_plugin(tx, hooks, place.enterprise_id, "bank_transfer", 1, settings)
    return True
