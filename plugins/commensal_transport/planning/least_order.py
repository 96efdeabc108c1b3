"""Orders nothing of a supplier from whom so little was ordered that nobody drives for it."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import ClosedDemand, ShapedGoods, format_money, hookimpl, translate

from ..settings import Settings


@hookimpl
def demand_shaping(demand: ClosedDemand, settings: Settings, language: str) -> Sequence[ShapedGoods]:
    if sum(goods.amount for goods in demand.goods) >= settings.least_order:
        return []
    least = format_money(settings.least_order, demand.currency, language)
    reason = translate(language, "Less than {amount} was ordered of {supplier}: nobody drives for that.")
    text = reason.format(amount=least, supplier=demand.supplier)
    return [ShapedGoods(product_id=goods.product_id, pieces=0, reason=text) for goods in demand.goods]
