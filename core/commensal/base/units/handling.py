"""How goods are kept and packed: their zone when an order is packed, and the order of the zones in the hall."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from .concept import Concept
from .product_types import lineage


class Zone(StrEnum):
    """Where goods stand until they are handed out, in walking order: what may not warm up is fetched last, and what
    breaks is laid on top of what does not."""

    DRY = "dry"
    FRAGILE = "fragile"
    CHILLED = "chilled"
    FROZEN = "frozen"


# What a producer may say of a product. DFC says `refrigerated` and `frozen` of a product, and not where it may break.
HANDLING: dict[str, Concept] = {
    term: Concept(term=term, broader=("Handling",), en=en, fr=fr)
    for term, en, fr in (
        ("Ambient", "At room temperature", "Température ambiante"),
        ("Chilled", "Keep chilled", "À conserver au frais"),
        ("Frozen", "Frozen", "Surgelé"),
        ("Fragile", "Fragile", "Fragile"),
    )
}
# Kinds of product that are kept so unless their producer says otherwise: terms of the DFC product types.
_BY_KIND = {
    "frozen": Zone.FROZEN,
    "dairy-product": Zone.CHILLED,
    "meat-product": Zone.CHILLED,
    "fishery-product": Zone.CHILLED,
    "egg": Zone.FRAGILE,
}


def zone_of(product_type: str, handling: Collection[str]) -> Zone:
    """The zone of a product by what its producer says, else by its kind."""
    for term, zone in (("Frozen", Zone.FROZEN), ("Chilled", Zone.CHILLED)):
        if term in handling:
            return zone
    if "Fragile" in handling:
        return Zone.FRAGILE
    if "Ambient" in handling:
        return Zone.DRY
    return next((_BY_KIND[kind.term] for kind in reversed(lineage(product_type)) if kind.term in _BY_KIND), Zone.DRY)
