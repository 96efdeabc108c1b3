"""What the producers of the demo region make: rows of `goods.tsv`, and how a heap is drawn from one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from ..base.units.measures import MEASURES
from .values import Heap, Size

_FILE = Path(__file__).with_name("goods.tsv")
_BY_WEIGHT = ("Gram", "Millilitre")  # their prices and stocks are those of the first size, all others' of one unit
_CHEAPER = (Decimal(1), Decimal("0.93"), Decimal("0.87"))  # the larger sizes, for the same content


@dataclass(frozen=True, kw_only=True)
class Good:
    """A row: `cents` and `stock` are meant for `counted` of the unit."""

    name: str
    product_type: str
    months: frozenset[int]
    unit: str
    sizes: tuple[Decimal, ...]
    cents: int
    stock: int
    vat_rate: Decimal
    deposit: int
    weighed: bool
    allergens: tuple[str, ...]

    @property
    def counted(self) -> Decimal:
        return self.sizes[0] if self.unit in _BY_WEIGHT else Decimal(1)


@cache
def goods_of(kind: str) -> tuple[Good, ...]:
    """All that a producer of this kind may make."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(_good(columns) for line in lines if (columns := line.split("\t"))[0] == kind)


def draw_heap(chance: random.Random, good: Good, *, number: int, labels: tuple[str, ...], praise: str) -> Heap:
    """One producer's own: its prices and stock lie around the usual ones. Who is certified asks a little more."""
    factor = Decimal(chance.randint(92, 112)) / 100 * (Decimal("1.10") if labels else 1)
    sizes = tuple(
        Size(
            quantity=quantity,
            unit=good.unit,
            price=_price(good.cents * quantity / good.counted * factor * cheaper),
            sku=f"{number:03}-{place}",
        )
        for place, (quantity, cheaper) in enumerate(zip(good.sizes, _CHEAPER, strict=False), 1)
    )
    return Heap(
        name=good.name,
        description=praise,
        product_type=good.product_type,
        months=good.months,
        sizes=sizes,
        on_hand=_on_hand(chance, good),
        vat_rate=good.vat_rate,
        deposit=good.deposit,
        weighed=good.weighed,
        labels=() if good.product_type == "inedible" else labels,
        allergens=good.allergens,
    )


def _on_hand(chance: random.Random, good: Good) -> Decimal | None:
    """A good part more or less than usual; what is baked to order has no end."""
    if good.product_type == "bread" and chance.random() < 0.5:
        return None
    counted = good.stock * chance.randint(60, 160) // 100
    measure = MEASURES[good.unit]
    content = Decimal(counted) * good.counted
    return content / 1000 if measure.term in _BY_WEIGHT else content


def _price(cents: Decimal) -> int:
    """To five cents, as prices at a stall are."""
    return max(5, int((cents / 5).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * 5)


def _good(columns: list[str]) -> Good:
    _, name, product_type, months, unit, sizes, cents, stock, vat, deposit, weighed, allergens = columns
    return Good(
        name=name,
        product_type=product_type,
        months=_months(months),
        unit=unit,
        sizes=tuple(Decimal(one) for one in sizes.split()),
        cents=int(cents),
        stock=int(stock),
        vat_rate=Decimal(vat),
        deposit=int(deposit),
        weighed=weighed == "weighed",
        allergens=tuple(allergens.split()),
    )


def _months(text: str) -> frozenset[int]:
    """``9-3`` is September to March."""
    first, last = (int(one) for one in text.split("-"))
    return frozenset((first + step - 1) % 12 + 1 for step in range((last - first) % 12 + 1))
