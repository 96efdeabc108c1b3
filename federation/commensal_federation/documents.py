"""For plugins that serve documents of DFC about things of their own, below ``/api/dfc``: what they may import.

A plugin returns its pages by the hook `fixed_routes`, where the federation is enabled. What is not listed here belongs
to the federation itself and changes without notice.
"""

from .dfc.iris import enterprise_iri
from .dfc.vocabulary import (
    DfcAddress,
    DfcDeliveryStep,
    DfcLoad,
    DfcPickUpStep,
    DfcPlace,
    DfcQuantity,
    DfcRoute,
    DfcShipment,
    DfcStep,
    DfcVehicle,
    Thing,
)
from .platforms.responses import base_of, dfc_page, dfc_response_20
from .platforms.scopes import demand_scope, refuse_anonymous, requested_enterprise

__all__ = [
    "DfcAddress",
    "DfcDeliveryStep",
    "DfcLoad",
    "DfcPickUpStep",
    "DfcPlace",
    "DfcQuantity",
    "DfcRoute",
    "DfcShipment",
    "DfcStep",
    "DfcVehicle",
    "Thing",
    "base_of",
    "demand_scope",
    "dfc_page",
    "dfc_response_20",
    "enterprise_iri",
    "refuse_anonymous",
    "requested_enterprise",
]
