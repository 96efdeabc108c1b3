"""A social fund for the demo region: it pays a third of the vegetables of one hub's group."""

from __future__ import annotations

from commensal import DemoPlace, Transaction, change_plugin, hookimpl, list_categories, list_enterprises

_PAYER = "Centre communal d’action sociale"


@hookimpl
def demo_data(tx: Transaction, place: DemoPlace) -> bool:
    """Gives a programme to the oldest hub of the region only; all hubs have the plugin."""
    first = min(hub.id for hub in list_enterprises(tx, kind="hub"))
    groups = list_categories(tx, place.enterprise_id)
    if first != place.enterprise_id or not groups:
        return False
    programme = {
        "id": "ccas",
        "payer": _PAYER,
        "category": groups[0].id,
        "percent": "30",
        "most_per_order": 2500,
        "most_per_customer": 40000,
        "budget": 600000,
        "excluded_types": ["alcoholic-beverage"],
    }
    change_plugin(tx, place.instance.hooks, place.enterprise_id, "solidarity", 1, {"programmes": [programme]})
    return True
