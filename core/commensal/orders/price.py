"""Prices an order: its lines, then the plugins' adjustments phase by phase, then VAT and totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..base.errors import Conflict, Invalid, Problem
from ..base.plugin_fields import PluginValues
from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import ChangedBy, ShippingOption
from ..pricing.lines import totals
from ..pricing.phases import ask_plugins, price_order, total_at_most
from ..pricing.values import Address, Adjustment, OrderDraft, Phase, PricedLine
from ..storage.database import Transaction
from .questions import order_by_id
from .sale_context import KnownCustomer
from .values import Order, Quote, SaleContext

# Asks plugins about a priced order: does anything speak against it, and what do its adjustments use up?


def refuse_problems(
    tx: Transaction, hooks: Hooks, shop: SaleContext, quote: Quote, before: Order | None, by: ChangedBy
) -> None:
    """Raises `Invalid` with every problem that the shop's plugins report. `before` is the order until now, None for a
    new one. What is a problem for customers alone does not stop the hub and its scales."""
    draft, plugins = quote.draft, shop.plugins
    answers = hooks.each(specifications.order_changing, plugins, tx=tx, order=draft, before=before, by=by)
    if by == "customer":
        total_before = before.total if before is not None else 0
        answers += hooks.each(
            specifications.order_problems, plugins, tx=tx, order=draft, total=quote.totals.total, before=total_before
        )
    problems = [problem for answer in answers for problem in answer.value or ()]
    if problems:
        raise Invalid(problems)


def settle_with_plugins(
    tx: Transaction,
    hooks: Hooks,
    shop: SaleContext,
    quote: Quote,
    before: Sequence[Adjustment],
    after: Sequence[Adjustment],
) -> None:
    """Lets each plugin take or give back what its adjustments use up, such as the balance of a voucher.

    A plugin that the shop or the instance has switched off meanwhile is not asked.
    """
    for plugin in sorted({adjustment.plugin for adjustment in (*before, *after)} - {""}):
        given_before = [adjustment for adjustment in before if adjustment.plugin == plugin]
        given_now = [adjustment for adjustment in after if adjustment.plugin == plugin]
        if hooks.implementing(specifications.settle_adjustments, {plugin}) and plugin in shop.plugins:
            hooks.tell(
                specifications.settle_adjustments,
                plugin,
                shop.plugins,
                tx=tx,
                order=quote.draft,
                before=given_before,
                after=given_now,
            )


def pay_rest_from_credit(tx: Transaction, hooks: Hooks, shop: SaleContext, order: Order) -> Order:
    """Lets plugins pay what is due for the locked, placed `order` from what they hold for its customer, such as an
    account. Returns the order as it is now."""
    if order.total <= order.paid_total:
        return order
    answers = hooks.each(specifications.pay_from_credit, shop.plugins, tx=tx, order=order)
    if not any(answer.value for answer in answers):
        return order
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def refuse_unclaimed(codes: Sequence[str], claimed: set[str]) -> None:
    """Raises `Invalid` for codes that no plugin claimed: they must not look as if they had counted."""
    unknown = [
        Problem("code_unknown", "The code {code} is not known here.", f"/codes/{place}", {"code": code[:40]})
        for place, code in enumerate(codes)
        if code not in claimed
    ]
    if unknown:
        raise Invalid(unknown)


MOST_CODES = 5  # of one order


def read_codes(codes: Sequence[str]) -> tuple[str, ...]:
    """Returns codes as they are stored: stripped, in capitals, each once. Raises `Conflict` for too many."""
    unique_codes = tuple(dict.fromkeys(code.strip().upper() for code in codes if code.strip()))
    if len(unique_codes) > MOST_CODES:
        raise Conflict("too_many_codes", "At most {most} codes can be used for one order.", most=MOST_CODES)
    return unique_codes


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a customer chose besides goods."""

    shipping: str = ""
    payment_method: str = ""
    codes: tuple[str, ...] = ()
    address: Address | None = None
    plugin_fields: PluginValues = field(default_factory=dict, hash=False)


def draft_of(
    order_id: str,
    shop: SaleContext,
    lines: tuple[PricedLine, ...],
    customer: KnownCustomer,
    choices: Choices,
    *,
    person_id: str | None,
    email: str = "",
    language: str = "fr",
    codes_before: tuple[str, ...] = (),
) -> OrderDraft:
    """Returns the order as plugins see it, before any adjustment."""
    return OrderDraft(
        id=order_id,
        session_id=shop.session_id,
        enterprise_id=shop.enterprise_id,
        currency=shop.currency,
        prices_include_vat=shop.prices_include_vat,
        category_ids=customer.category_ids,
        person_id=person_id,
        customer_id=customer.customer_id,
        email=email,
        language=language,
        codes=choices.codes,
        codes_before=codes_before,
        payment_method=choices.payment_method,
        lines=lines,
        shipping=choices.shipping,
        address=choices.address,
        begins_at=shop.begins_at,
        timezone=shop.timezone,
        coordinator_id=shop.coordinator_id,
        plugin_fields=choices.plugin_fields,
    )


def quote_of(order: Order, shop: SaleContext, customer: KnownCustomer) -> Quote:
    """Returns a placed order as its plugins saw it when it was last priced."""
    choices = Choices(
        shipping=order.shipping,
        payment_method=order.payment_method,
        codes=order.codes,
        address=order.address,
        plugin_fields=order.plugin_fields,
    )
    draft = draft_of(
        order.id,
        shop,
        order.lines,
        customer,
        choices,
        person_id=order.person_id,
        email=order.email,
        language=order.language,
        codes_before=order.codes,
    )
    priced_draft = replace(draft, adjustments=order.adjustments)
    return Quote(draft=priced_draft, totals=replace(totals(priced_draft), at_most=order.total_at_most))


def price(tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft, option: ShippingOption | None) -> Quote:
    """Asks the shop's plugins for adjustments and adds everything up. `option` is the booked or chosen shipping.

    Raises `Invalid` for a code that no plugin knows.
    """
    claimed: set[str] = set()
    ask = ask_plugins(hooks, tx, shop.plugins)

    def ask_and_note(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        adjustments = ask(order, phase)
        claimed.update(adjustment.code for adjustment in adjustments)
        return adjustments

    with tx.hold.reading():  # once for all phases
        priced_order = price_order(replace(draft, shipping_option=option), ask_and_note)
        at_most = total_at_most(priced_order, ask)
    refuse_unclaimed(draft.codes, claimed)
    return Quote(draft=priced_order, totals=replace(totals(priced_order), at_most=at_most))


# Whether the checkout of a shop asks for codes, as its plugins say.


def asks_for_codes(tx: Transaction, hooks: Hooks, enterprise_id: str) -> bool:
    """Whether customers of the shop may have codes: of vouchers, of gift cards, of another plugin."""
    plugins = enabled_plugins(tx, enterprise_id)
    answers = hooks.each(specifications.takes_codes, plugins, tx=tx, enterprise_id=enterprise_id)
    return any(answer.value for answer in answers)


# The value of empties on an order: an adjustment of the core, which a change of the order keeps.

KIND = "containers_returned"


def is_return(adjustment: Adjustment) -> bool:
    return adjustment.kind == KIND and not adjustment.plugin


def with_returns(quote: Quote, before: Sequence[Adjustment]) -> Quote:
    """Returns the quote with the empties that counted on the order before, as far as they do not exceed its total."""
    returns = [adjustment for adjustment in before if is_return(adjustment)]
    left, counted = quote.totals.total, []
    for adjustment in returns:
        amount = max(adjustment.amount, -left)
        left += amount
        if amount:
            counted.append(replace(adjustment, amount=amount))
    if not counted:
        return quote
    draft = replace(quote.draft, adjustments=(*quote.draft.adjustments, *counted))
    new_totals, at_most = totals(draft), quote.totals.at_most
    if at_most is not None:
        at_most += new_totals.total - quote.totals.total
    return Quote(draft=draft, totals=replace(new_totals, at_most=at_most))
