"""Lists for the day of the distribution: packing, suppliers, pickup places, labels, sign-in, driver, receipts.

All of them are of one sale, the one whose distribution comes next unless another is named. They print on A4,
receipts on strips of 80 or 58 mm.
"""

from __future__ import annotations

from collections.abc import Sequence

from commensal import Report, hookimpl

from .goods import by_product, by_supplier
from .parcels import by_customer, by_place, driver, labels, receipts, sign_in

BEGINS_HUBS = True

__all__ = ["reports"]


@hookimpl
def reports(language: str) -> Sequence[Report]:
    builders = (by_customer, by_product, by_supplier, by_place, sign_in, labels, driver, receipts)
    return [make(language) for make in builders]
