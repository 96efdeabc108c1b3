"""The page of an enterprise's vehicles."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Enterprise, Invalid, Problem, Screen
from commensal.pages import Visit, on_refusal

from ..costs.alone import CENTS_PER_KM
from ..forms import cents, whole
from ..places.loads import CLASSES
from ..trips.vehicles import add_vehicle, archive_vehicle, vehicles_of
from .week import transport_url


def vehicles_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        vehicles = vehicles_of(tx, shop.id)
    usual = {
        "name": "",
        "crates": "60",
        "kg": "700",
        "cold": "0",
        "keeping": "ambient",
        "cents_per_km": f"0.{CENTS_PER_KM}",
    }
    context = {
        "vehicles": vehicles,
        "typed": {**usual, **visit.form},
        "classes": CLASSES,
        "home": transport_url(shop.id),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="transport/vehicles.html", context=context)


@on_refusal(vehicles_page)
def post_vehicles(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Adds a vehicle, or archives one."""
    with visit.write() as tx:
        if visit.query.get("then") == "archive":
            archive_vehicle(tx, shop.id, visit.form.get("vehicle", ""), visit.form_version)
        else:
            form = visit.form
            keeping = next((each for each in CLASSES if each == form.get("keeping")), None)
            if keeping is None:
                raise Invalid([Problem("keeping", "Choose one of the answers.", "/keeping")])
            add_vehicle(
                tx,
                shop.id,
                name=form.get("name", ""),
                crates=whole(form, "crates"),
                kg=whole(form, "kg"),
                cold=whole(form, "cold", 0),
                keeping=keeping,
                cents_per_km=cents(form, "cents_per_km"),
            )
    return visit.redirect(f"{transport_url(shop.id)}/vehicles?done=saved")
