"""Empties as people at the table name them: what they are and what was in them, the likely ones first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from commensal import MEASURES, Order, Transaction, format_quantity, translate
from commensal.parts.order_corrections import DepositKind, deposit_kinds, likely_returns, returned_of

from ..frame.desk import Desk

BACK = "back/"  # and supplier and deposit: the name of a field with empties that came back
_MOST_NAMES = 3  # goods that are named for one kind
_CRATE = Decimal(5000)  # grams or millilitres: what holds more is neither a jar nor a bottle


@dataclass(frozen=True, kw_only=True)
class EmptiesField:
    """Containers that may come back, with how many were counted.

    name:   of the field
    label:  what they are, such as "Bottle 75 cl"
    inside: whose they are and what was in them
    likely: whether this customer had them lately, or most bring them back, or some were counted
    """

    name: str
    label: str
    inside: str
    deposit: int
    pieces: int
    likely: bool


def empties_of(tx: Transaction, desk: Desk, order: Order, language: str) -> list[EmptiesField]:
    """The containers in which the shop's goods come; those of which some came back with this order first."""
    counted = {(each.supplier_id, each.deposit): each.pieces for each in returned_of(tx, order.id)}
    likely = likely_returns(tx, desk.enterprise.id, order.session_id, order_id=order.id)
    near = likely.usual | likely.had.get(order.id, frozenset()) | set(counted)
    empties = [
        EmptiesField(
            name=f"{BACK}{kind.supplier_id}/{kind.deposit}",
            label=container_name(kind, language),
            inside=container_goods(kind),
            deposit=kind.deposit,
            pieces=counted.get(kind.key, 0),
            likely=kind.key in near,
        )
        for kind in deposit_kinds(tx, desk.enterprise.id, order.currency)
    ]
    return sorted(empties, key=lambda kind: -kind.pieces)


def container_name(kind: DepositKind, language: str) -> str:
    """What the containers are, by what is sold in them: Bottle 33 cl, 75 cl."""
    names: dict[str, list[str]] = {}
    for content, unit in kind.sizes:
        sizes = names.setdefault(_container(content, unit, language), [])
        if MEASURES[unit].dimension in ("mass", "volume"):
            sizes.append(format_quantity(content, unit, language))
    return " · ".join(f"{name} {', '.join(sizes)}".strip() for name, sizes in names.items())


def container_goods(kind: DepositKind) -> str:
    """Whose the containers are and what was in them, in a line."""
    more = " …" if len(kind.goods) > _MOST_NAMES else ""
    return f"{kind.supplier} · {', '.join(kind.goods[:_MOST_NAMES])}{more}"


def _container(content: Decimal, unit: str, language: str) -> str:
    measure = MEASURES[unit]
    if measure.dimension == "package":
        return measure.label(language).capitalize()
    is_large = content * Decimal(measure.factor.numerator) / Decimal(measure.factor.denominator) >= _CRATE
    names: Mapping[str, str] = {
        "mass": translate(language, "Crate") if is_large else translate(language, "Jar"),
        "volume": translate(language, "Container") if is_large else translate(language, "Bottle"),
        "count": translate(language, "Box"),
    }
    return names.get(measure.dimension, translate(language, "Container"))
