"""The goods of the demo's producers: reads the rows of `goods.tsv`, and draws products from them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from ...base.units.measures import MEASURES
from .values import DrawnLot, Size

_FILE = Path(__file__).with_name("goods.tsv")
_BY_WEIGHT = (
    "Gram",
    "Millilitre",
)  # prices and stocks of their rows are for the first size; of other units, for one unit
_CHEAPER = (Decimal(1), Decimal("0.93"), Decimal("0.87"))  # the larger sizes, for the same content


@dataclass(frozen=True, kw_only=True)
class Good:
    """A row of the file. `cents` is the price of `counted` units, `stock` a number of times `counted` units."""

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
    """All goods that a producer of this kind may make."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(_good(columns) for line in lines if (columns := line.split("\t"))[0] == kind)


def draw_lot(chance: random.Random, good: Good, *, number: int, labels: tuple[str, ...], praise: str) -> DrawnLot:
    """A producer's product, with prices and stock near the usual ones. Certified producers charge a tenth more."""
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
    return DrawnLot(
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
    """The stock, 60 to 160 per cent of the usual one. None, without limit, for half of all bread, baked to order."""
    if good.product_type == "bread" and chance.random() < 0.5:
        return None
    amount = good.stock * chance.randint(60, 160) // 100
    measure = MEASURES[good.unit]
    content = Decimal(amount) * good.counted
    return content / 1000 if measure.term in _BY_WEIGHT else content


def _price(cents: Decimal) -> int:
    """Rounded to five cents."""
    return max(5, int((cents / 5).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * 5)


def _good(columns: list[str]) -> Good:
    _, name, product_type, months, unit, sizes, cents, stock, vat, deposit, weighed, allergens = columns
    return Good(
        name=name,
        product_type=product_type,
        months=_months(months),
        unit=unit,
        sizes=tuple(Decimal(quantity) for quantity in sizes.split()),
        cents=int(cents),
        stock=int(stock),
        vat_rate=Decimal(vat),
        deposit=int(deposit),
        weighed=weighed == "weighed",
        allergens=tuple(allergens.split()),
    )


def _months(text: str) -> frozenset[int]:
    """``9-3`` is September to March."""
    first, last = (int(month) for month in text.split("-"))
    return frozenset((first + step - 1) % 12 + 1 for step in range((last - first) % 12 + 1))
