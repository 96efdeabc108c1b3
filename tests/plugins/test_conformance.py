"""Every bundled plugin keeps what its hooks promise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from commensal.hooks.loading import plugin_entry_points
from commensal.testing import Shop, conforms
from commensal.trade.enterprises.customers import create_customer
from commensal_account.accounts import open_account, write_entry
from commensal_delivery.slots import add_slot
from commensal_delivery.zones import DeliverySettings

IBAN = "FR7630001007941234567890185"
TOURS = {"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 300}


def _an_account(shop: Shop) -> None:
    """Accounts are for those who are known, and have one."""
    shop.customer = shop.somebody("known@example.org")
    with shop.instance.store.write() as tx:
        known = create_customer(tx, shop.id, email=shop.customer.email).id
        open_account(tx, shop.id, known)
        write_entry(tx, shop.id, known, "paid in", 10_000, note="", person_id=None)


def _two_rounds(shop: Shop) -> None:
    """The demo gives a van to one hub of a valley only."""
    for hours in (1, 2):
        with shop.instance.store.write() as tx:
            begins_at, ends_at = (tx.now + timedelta(days=2, hours=offset) for offset in (0, hours))
            add_slot(tx, DeliverySettings(), shop.id, shop.session_id, begins_at=begins_at, ends_at=ends_at, capacity=4)


def _a_round(shop: Shop) -> None:
    """The van goes once, to three customers."""
    times = {"begins_at": shop.session.begins_at.isoformat(), "ends_at": shop.session.ends_at.isoformat()}
    shop.ask("POST", f"/-/delivery/sale-sessions/{shop.session_id}/slots", {**times, "capacity": 3})


def _a_report(shop: Shop) -> None:
    """A report of one's own is there once somebody has put it together."""
    wanted = {"name": "Owed", "segment": "orders", "columns": ["number", "customer", "due"]}
    shop.ask("POST", "/-/custom_report/presets", wanted)


_ZONE = {"id": "town", "name": "Tours", "postcodes": ["37*"], "price": 300}
_NEEDS: dict[str, dict[str, Any]] = {
    "account": {"prepare": _an_account},
    "bank_transfer": {"settings": {"iban": IBAN, "holder": "Les Paniers"}},
    "custom_report": {"prepare": _a_report},
    "delivery": {"settings": {"zones": [_ZONE]}, "prepare": _a_round},
    "stripe": {
        "settings": {"secret_key": "sk_test_shop", "webhook_secret": "whsec_ours"},
        "without": {"a_payment_begins_once": "its own tests see to it, with a double of Stripe"},
    },
}

for _plugin in plugin_entry_points():
    globals()[f"test_{_plugin}"] = conforms(_plugin, **_NEEDS.get(_plugin, {}))
