"""Names that platforms use for DFC's classes and properties besides those of the ontology and the official connectors.

A document is read as if it had the names on the right. Those on the left come from older versions of DFC, from
misspellings in deployed software, and from other readings of the standard. A name that differs from a known one only in
capitals is that one. What is read for one class only stands with its field, as `reads` in `vocabulary`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

CLASSES: Mapping[str, str] = {
    "dfc-b:Certification": "dfc-b:Certfication",  # the class of the ontology is misspelt
    "dfc-b:DefinedProduct": "dfc-b:SuppliedProduct",  # what the ontology's items reference
    "dfc-b:Entreprise": "dfc-b:Enterprise",
    "dfc-b:PickUpOption": "dfc-b:PickupOption",
    "dfc-b:QuantitiveValue": "dfc-b:QuantitativeValue",
    "dfc-b:TheoriticalStock": "dfc-b:TheoreticalStock",
    "dfc-b:Variant": "dfc-b:SuppliedProduct",
    "Container": "ldp:Container",
    "BasicContainer": "ldp:BasicContainer",
}
PROPERTIES: Mapping[str, str] = {
    "dfc-b:affiliatedBy": "dfc-b:affiliatedTo",
    "dfc-b:certifierReference": "dfc-b:certiferReference",
    "dfc-b:constitutedBy": "dfc-b:constituedBy",
    "dfc-b:country": "dfc-b:hasCountry",
    "dfc-b:firtsName": "dfc-b:firstName",
    "dfc-b:fulfilledBy": "dfc-b:isFulfilledBy",
    "dfc-b:hasAdress": "dfc-b:hasAddress",
    "dfc-b:hasEmail": "dfc-b:email",
    "dfc-b:hasImage": "dfc-b:Image",
    "dfc-b:hasIncome": "dfc-b:hasInput",
    "dfc-b:hasName": "dfc-b:name",
    "dfc-b:hasOrderState": "dfc-b:hasOrderStatus",
    "dfc-b:hasOutcome": "dfc-b:hasOutput",
    "dfc-b:hasPaymentState": "dfc-b:hasPaymentStatus",
    "dfc-b:hasFulfilmentState": "dfc-b:hasFulfilmentStatus",
    "dfc-b:hasValue": "dfc-b:value",
    "dfc-b:incomeOf": "dfc-b:inputOf",
    "dfc-b:isOpeningDuring": "dfc-b:isOpenDuring",
    "dfc-b:offeres": "dfc-b:offers",
    "dfc-b:outcomeOf": "dfc-b:outputOf",
    "dfc-b:Price": "dfc-b:hasPrice",
    "dfc-b:priceValue": "dfc-b:price",
    "dfc-b:sold": "dfc-b:sells",
    "dfc-b:steps": "dfc-b:hasStep",
    "dfc-b:usageOrStorageCondition": "dfc-b:specificCondition",
}
# Properties that are read, but have no field.
PARTS = (
    "dfc-b:value",
    "dfc-b:hasUnit",
    "dfc-b:VATrate",
    "dfc-b:quantity",
    "dfc-b:price",
    "dfc-b:lifetime",
    "dfc-b:specificCondition",
    "dfc-b:VATstatus",
    "dfc-b:hasAllergenDimension",
)


def class_name(name: str) -> str:
    """The name of the class that this one stands for; the name itself if it stands for none."""
    return CLASSES.get(name, name)


def property_name(name: str) -> str:
    """The name of the property that this one stands for; the name itself if it stands for none."""
    alias = PROPERTIES.get(name)
    if alias is not None or not name.startswith("dfc-b:"):
        return alias or name
    known = _known()
    return name if name in known.values() else known.get(name.lower(), name)


@cache
def _known() -> Mapping[str, str]:
    """The properties that are read, by their names in small letters."""
    from .classes import BY_PROPERTY, INVERSES  # that module reads the vocabulary, which needs no aliases

    names: Iterable[str] = {*INVERSES, *PARTS, *(property for fields in BY_PROPERTY.values() for property in fields)}
    return {name.lower(): name for name in sorted(names)}
