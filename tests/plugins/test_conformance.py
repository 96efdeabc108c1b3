"""Every bundled plugin fulfils the promises of its hooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from commensal.base.entry_points import plugin_entry_points
from commensal.enterprises.customers import create_customer
from commensal.testing import Shop, conforms
from commensal_account.accounts import open_account, write_entry
from commensal_delivery.slots import add_slot
from commensal_delivery.zones import DeliverySettings

IBAN = "FR7630001007941234567890185"
TOURS = {"id": "tours", "name": "Tours", "postcodes": ["37*"], "price": 300}


def _open_account(shop: Shop) -> None:
    """Opens an account for a known customer, since only they can have one."""
    shop.customer = shop.somebody("known@example.org")
    with shop.instance.store.write() as tx:
        customer_id = create_customer(tx, shop.id, email=shop.customer.email).id
        open_account(tx, shop.id, customer_id)
        write_entry(tx, shop.id, customer_id, "paid in", 10_000, note="", person_id=None)


def _add_two_rounds(shop: Shop) -> None:
    """Adds two rounds, since the demo gives a van to only one hub of a valley."""
    for hours in (1, 2):
        with shop.instance.store.write() as tx:
            begins_at, ends_at = (tx.now + timedelta(days=2, hours=offset) for offset in (0, hours))
            add_slot(tx, DeliverySettings(), shop.id, shop.session_id, begins_at=begins_at, ends_at=ends_at, capacity=4)


def _add_round(shop: Shop) -> None:
    """Adds one round for three customers."""
    times = {"begins_at": shop.session.begins_at.isoformat(), "ends_at": shop.session.ends_at.isoformat()}
    shop.ask("POST", f"/-/delivery/sale-sessions/{shop.session_id}/slots", {**times, "capacity": 3})


def _add_report(shop: Shop) -> None:
    """Adds a custom report, since reports exist only once a person has composed them."""
    preset = {"name": "Owed", "segment": "orders", "columns": ["number", "customer", "due"]}
    shop.ask("POST", "/-/custom_report/presets", preset)


_ZONE = {"id": "town", "name": "Tours", "postcodes": ["37*"], "price": 300}
_NEEDS: dict[str, dict[str, Any]] = {
    "account": {"prepare": _open_account},
    "bank_transfer": {"settings": {"iban": IBAN, "holder": "Les Paniers"}},
    "custom_report": {"prepare": _add_report},
    "delivery": {"settings": {"zones": [_ZONE]}, "prepare": _add_round},
    "stripe": {
        "settings": {"secret_key": "sk_test_shop", "webhook_secret": "whsec_ours"},
        "without": {"a_payment_begins_once": "its own tests see to it, with a double of Stripe"},
    },
}

for _plugin in plugin_entry_points():
    globals()[f"test_{_plugin}"] = conforms(_plugin, **_NEEDS.get(_plugin, {}))
