"""The page of an enterprise's vehicles."""

from __future__ import annotations

from starlette.responses import Response

from commensal import Enterprise, Invalid, NotFound, Problem, Refused, Screen
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of

from ..costs.alone import CENTS_PER_KM
from ..forms import cents, whole
from ..places.loads import CLASSES
from ..trips.vehicles import add_vehicle, archive_vehicle, vehicles_of
from .week import transport_url

_FIELDS = {"name", "crates", "kg", "cold", "keeping", "cents_per_km"}


def vehicles_page(visit: Visit, shop: Enterprise) -> Screen:
    return _vehicles_page(visit, shop)


def _vehicles_page(visit: Visit, shop: Enterprise, errors: Mistakes = NO_MISTAKES, status: int = 200) -> Screen:
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
        "mistakes": errors,
        "classes": CLASSES,
        "home": transport_url(shop.id),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="transport/vehicles.html", context=context, status=status)


def post_vehicles(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Adds a vehicle, or archives one."""
    try:
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
    except NotFound:
        raise
    except Refused as error:
        return _vehicles_page(visit, shop, mistakes(visit, error, _FIELDS.__contains__), status_of(error))
    return visit.redirect(f"{transport_url(shop.id)}/vehicles?done=saved")
