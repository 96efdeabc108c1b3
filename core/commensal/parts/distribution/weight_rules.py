"""How what orders cost follows from what their goods weigh: rules for a telephone that weighs without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from ...enterprises.tables import customer_in_category
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.sale_context import sale_context
from ...orders.tables import adjustment, customer_order
from ...orders.values import Identity, SaleContext
from ...pricing.values import Adjustment, OrderDraft, Phase, PricedLine, WeightRule
from ...storage.database import Transaction

_order, _adjustment = customer_order.c, adjustment.c
_COLUMNS = (_order.id, _order.identity, _order.customer_id, _order.codes, _order.payment_method, _order.shipping)
_OF_SESSION = select(*_COLUMNS, _order.language)


def weight_rules_of_session(
    tx: Transaction, hooks: Hooks, session_id: str, lines: Mapping[str, Sequence[PricedLine]]
) -> dict[str, Sequence[WeightRule]]:
    """Returns the rules of all adjustments of each order with goods sold by weight, by order id.

    `lines` are those of the session's orders. An order is left out if only the server can work out what it will cost:
    if a plugin does not say how an adjustment follows from the weight, or would pay what is due by itself. The number
    of statements does not depend on that of orders.
    """
    shop = sale_context(tx, session_id)
    chosen = {id: of_order for id, of_order in lines.items() if any(line.weighed for line in of_order)}
    if not chosen:
        return {}
    in_session = _order.session_id == session_id
    rows = [row for row in tx.all(_OF_SESSION.where(in_session)) if row["id"] in chosen]
    adjustments, categories = _adjustments(tx, session_id), _categories(tx, session_id)
    rules_by_order: dict[str, Sequence[WeightRule]] = {}
    for row in rows:
        id = row["id"]
        customer_id = None if Identity(row["identity"]) is Identity.TYPED else row["customer_id"]
        draft = OrderDraft(
            id=id,
            session_id=session_id,
            enterprise_id=shop.enterprise_id,
            currency=shop.currency,
            prices_include_vat=shop.prices_include_vat,
            category_ids=frozenset(categories.get(customer_id or "", ())),
            person_id=None,
            customer_id=customer_id,
            language=row["language"],
            codes=tuple(row["codes"]),
            payment_method=row["payment_method"],
            lines=tuple(chosen[id]),
            shipping=row["shipping"],
            begins_at=shop.begins_at,
            timezone=shop.timezone,
            coordinator_id=shop.coordinator_id,
            adjustments=tuple(adjustments.get(id, ())),
        )
        rules = _rules(tx, hooks, shop, draft)
        if rules is not None:
            rules_by_order[id] = rules
    return rules_by_order


def _adjustments(tx: Transaction, session_id: str) -> dict[str, list[Adjustment]]:
    """The adjustments of the session's orders as they are now, by order id."""
    names = Adjustment.__dataclass_fields__
    known: dict[str, list[Adjustment]] = {}
    statement = select(adjustment).join(customer_order).where(_order.session_id == session_id)
    for row in tx.all(statement.order_by(_adjustment.position)):
        values = {name: row[name] for name in names} | {"phase": Phase(row["phase"])}
        known.setdefault(row["order_id"], []).append(Adjustment(**values))
    return known


def _categories(tx: Transaction, session_id: str) -> dict[str, set[str]]:
    """The categories of the session's customers, by customer id."""
    belongs, categories = customer_in_category.c, dict[str, set[str]]()
    ordering = select(_order.customer_id).where(_order.session_id == session_id)
    for row in tx.all(select(belongs.customer_id, belongs.category_id).where(belongs.customer_id.in_(ordering))):
        categories.setdefault(row["customer_id"], set()).add(row["category_id"])
    return categories


def _rules(tx: Transaction, hooks: Hooks, shop: SaleContext, draft: OrderDraft) -> Sequence[WeightRule] | None:
    paying = draft.payment_method.partition(":")[0]
    if hooks.implementing(specifications.pay_from_credit, {paying} & set(shop.plugins)):
        return None
    rules_by_plugin = {
        answer.plugin: answer.value
        for answer in hooks.each(specifications.weight_rules, shop.plugins, tx=tx, order=draft)
        if answer.value is not None
    }
    implementing = hooks.implementing(specifications.weight_rules, set(shop.plugins))
    bearing = {each.plugin for each in draft.adjustments} - {""}
    if not {*implementing, *bearing} <= set(rules_by_plugin):
        return None
    own = [WeightRule.fixed(each) for each in draft.adjustments if not each.plugin]
    return [*own, *(rule for rules in rules_by_plugin.values() for rule in rules)]
