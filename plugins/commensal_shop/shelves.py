"""The shelves of the shop: product types as shoppers look for them, under names that stand on shelves.

The product types of DFC classify goods; as headings they are strange. DFC has eggs among meat products, and calls dried
goods "local grocery store". A shelf takes a branch of that tree, except for smaller branches that other shelves take.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from commensal import lineage, translate

# Shelves by name, with the DFC terms whose branches they take, in the order in which most people write their list.
SHELVES: Mapping[str, tuple[str, ...]] = {
    "vegetables": ("vegetable",),
    "fruit": ("fruit",),
    "dairy": ("dairy-product",),
    "eggs": ("egg",),
    "bread": ("bakery",),
    "meat": ("meat-product",),
    "fish": ("fishery-product",),
    "groceries": ("local-grocery-store",),
    "drinks": ("drink",),
    "frozen": ("frozen",),
    "household": ("inedible",),
}
# Drawings of what looks unlike the rest of its shelf, by name, with the DFC terms whose branches they stand for.
DRAWINGS: Mapping[str, tuple[str, ...]] = {
    "potato": ("potato", "jerusalem-artichoke", "yam"),
    "onion": ("onion", "shallot", "garlic", "green-garlic"),
    "leek": ("leek", "asparagus", "celery-branch", "fennel", "rhubarb"),
    "cabbage": ("cabbage", "artichoke"),
    "salad": ("salad", "chard"),
    "beet": ("beetroot", "turnip", "radish", "celeriac", "rutabaga"),
    "tomato": ("tomato", "pepper"),
    "squash": ("squash", "melon"),
    "cucumber": ("courgette", "cucumber", "eggplant"),
    "mushroom": ("mushroom",),
    "herb": ("herb",),
    "bean": ("bean", "dried-vegetable"),
    "berry": ("berry", "cherry"),
    "grape": ("grape",),
    "nut": ("nut",),
    "pear": ("pear", "quince", "fig"),
    "cheese": (
        "cream-cheese",
        "fresh-cheese",
        "mature-cheese",
        "other-cheese",
        "goat-fresh-cheese",
        "goat-mature-cheese",
        "sheep-fresh-cheese",
        "sheep-mature-cheese",
    ),
}
_OTHERS = "groceries"
_BY_TYPE = {term: shelf for shelf, terms in SHELVES.items() for term in terms}
_DRAWING_BY_TYPE = {term: drawing for drawing, terms in DRAWINGS.items() for term in terms}


@cache
def shelf_of(product_type: str) -> str:
    """The name of the shelf for a DFC product type: that of its nearest ancestor with one."""
    terms = (concept.term for concept in reversed(lineage(product_type)))
    return next((_BY_TYPE[term] for term in terms if term in _BY_TYPE), _OTHERS)


@cache
def drawing_of(product_type: str) -> str:
    """The name of the drawing for a DFC product type: that of its nearest ancestor with one, or else of its shelf."""
    terms = (concept.term for concept in reversed(lineage(product_type)))
    return next((_DRAWING_BY_TYPE[term] for term in terms if term in _DRAWING_BY_TYPE), shelf_of(product_type))


@cache
def shelf_labels(language: str) -> Mapping[str, str]:
    """What stands on each shelf, by its name."""
    return {
        "vegetables": translate(language, "Vegetables"),
        "fruit": translate(language, "Fruit"),
        "dairy": translate(language, "Dairy"),
        "eggs": translate(language, "Eggs"),
        "bread": translate(language, "Bread"),
        "meat": translate(language, "Meat"),
        "fish": translate(language, "Fish"),
        "groceries": translate(language, "Groceries"),
        "drinks": translate(language, "Drinks"),
        "frozen": translate(language, "Frozen"),
        "household": translate(language, "Household"),
    }
