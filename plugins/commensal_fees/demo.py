"""Fees for the demo region: one of its hubs charges packing, and transport of heavy orders."""

from __future__ import annotations

from commensal import DemoPlace, Transaction, change_plugin, hookimpl, list_enterprises

_FEES: list[dict[str, object]] = [
    {
        "calculator": "FlatPercentPerItem",
        "name": "Frais de fonctionnement",
        "names": {"de": "Betriebskosten", "en": "Running costs"},
        "type": "admin",
        "percent": "4",
        "vat_of_product": True,
    },
    {
        "calculator": "PriceSack",
        "name": "Préparation des petites commandes",
        "names": {"de": "Packen kleiner Bestellungen", "en": "Packing of small orders"},
        "type": "packing",
        "minimal_amount": 2500,
        "normal_amount": 150,
        "vat_rate": "20",
    },
    {
        "calculator": "WeightSteps",
        "name": "Manutention",
        "names": {"de": "Tragen schwerer Bestellungen", "en": "Carrying heavy orders"},
        "type": "transport",
        "steps": [{"up_to": "15", "amount": 0}, {"up_to": "40", "amount": 200}],
        "beyond": 400,
        "vat_rate": "20",
    },
]


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool:
    """Gives fees to the oldest hub of the region only; all hubs have the plugin."""
    if min(hub.id for hub in list_enterprises(tx, kind="hub")) != place.enterprise_id:
        return False
    change_plugin(tx, place.instance.hooks, place.enterprise_id, "fees", 1, {"fees": _FEES})
    return True
