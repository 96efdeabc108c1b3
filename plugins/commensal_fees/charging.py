"""Adds a hub's fees to an order, as adjustments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from commensal import Adjustment, OrderDraft, Phase, PricedLine, Threshold, hookimpl, only_for

from .by_order import LineFee, OrderFee, PriceSack
from .fee import Fee, pieces
from .settings import Settings


@hookimpl
@only_for(phase=(Phase.FEE,))
def price_adjustments(order: OrderDraft, settings: Settings) -> Sequence[Adjustment] | None:
    """Works the fees out from the settings and the lines, without any database statement."""
    if not settings.fees:
        return None
    return [adjustment for fee, lines in fees_due(order, settings) for adjustment in _charge(fee, order, lines)]


def fees_due(order: OrderDraft, settings: Settings) -> Iterable[tuple[Fee, Sequence[PricedLine]]]:
    """The fees that the order bears, each with the lines for which it bears them: delivered ones, at least one."""
    delivered = [line for line in order.lines if pieces(line)]
    for fee in settings.fees:
        lines = [line for line in delivered if fee.supplier in ("", line.supplier_id)]
        if lines and _is_due(fee, order):
            yield fee, lines


@hookimpl
def order_thresholds(order: OrderDraft, settings: Settings) -> Sequence[Threshold]:
    """The sums from which fees with a threshold take less."""
    thresholds = []
    for fee in settings.fees:
        lines = [line for line in order.lines if pieces(line) and fee.supplier in ("", line.supplier_id)]
        if isinstance(fee, PriceSack) and lines and _is_due(fee, order):
            goods, saving = sum(line.amount for line in lines), fee.normal_amount - fee.discount_amount
            if goods < fee.minimal_amount and saving > 0:
                label, amount = fee.named(order.language), fee.minimal_amount
                thresholds.append(Threshold(label=label, amount=amount, reached=goods, saving=saving))
    return thresholds


@hookimpl
def adjustment_names(language: str, settings: Settings) -> Mapping[str, str]:
    """The name of each fee, by its names in all languages."""
    return {label: fee.named(language) for fee in settings.fees for label in (fee.name, *fee.names.values())}


def _is_due(fee: Fee, order: OrderDraft) -> bool:
    return (
        (not fee.categories or not order.category_ids.isdisjoint(fee.categories))
        and (not fee.sale_sessions or order.session_id in fee.sale_sessions)
        and (not fee.shipping or any(_is(way, order.shipping) for way in fee.shipping))
    )


def _is(way: str, shipping: str) -> bool:
    """Tells whether the chosen `shipping` ("plugin:option") is this option, or any option of this plugin."""
    return way == shipping or way.removesuffix(":") == shipping.partition(":")[0]


def _charge(fee: Fee, order: OrderDraft, lines: Sequence[PricedLine]) -> Iterable[Adjustment]:
    if isinstance(fee, LineFee):
        for line in lines:
            rate = line.vat_rate if fee.vat_of_product else fee.vat_rate
            yield _adjustment(fee, order, fee.of_line(line), rate, line)
    if isinstance(fee, OrderFee):
        yield _adjustment(fee, order, fee.of_order(lines), fee.vat_rate, None)


def _adjustment(
    fee: Fee, order: OrderDraft, amount: int, vat_rate: Decimal | None, line: PricedLine | None
) -> Adjustment:
    return Adjustment(
        phase=Phase.FEE,
        kind=fee.type,
        label=fee.named(order.language),
        amount=amount,
        vat_rate=vat_rate,
        line_id=line.id if line else None,
        payee=_payee(fee, order, line),
    )


def _payee(fee: Fee, order: OrderDraft, line: PricedLine | None) -> str:
    """Returns the id of the enterprise that receives the fee; "" is the shop."""
    if fee.payee == "coordinator":
        return order.coordinator_id
    if fee.payee == "supplier":
        return line.supplier_id if line else fee.supplier
    return ""
