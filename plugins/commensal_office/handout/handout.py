"""Hand-out: give the right goods to the right person and take the money, in under twenty seconds each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial

from starlette.responses import JSONResponse, Response

from commensal import (
    Conflict,
    Forbidden,
    Invalid,
    Order,
    OrderSummary,
    PricedLine,
    Problem,
    Refused,
    Sale,
    Transaction,
    order_by_id,
    read_decimal,
    read_whole,
    sale_by_id,
    search_key,
    sessions_by_id,
    translate,
)
from commensal.orders import locked_order, tell_not_collected, weigh_order
from commensal.pages import Visit, any_field, mistakes, on_refusal, with_mistakes
from commensal.parts.distribution import summaries_of_session
from commensal.parts.order_corrections import MOST_RETURNED, Returned, count_returned, returned_of

from ..frame.desk import Desk, open_desk
from ..frame.render import number_in_field, show
from ..frame.sessions import (
    Offered,
    by_slot,
    chosen_session,
    current_session,
    due_of,
    methods_by_hand,
    recent_sessions,
    slot_label,
    slot_order,
    slots_of_sale,
)
from ..orders.orders import in_other_sales, search_orders
from .hand_over import BACK, HandOut, empties_of, hand_out, money_of_hand_over, undo

FIELD = "weights/"  # and the line's id: the name of a field with a weight
_CAMERA = {"Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}  # of pages that read codes of orders
_LONGEST = 100  # characters of a search
_LONGEST_SUM = 60  # characters of a typed weight, like 192+167
MUCH = Decimal("0.3")  # of the ordered weight: a larger difference is asked again


@dataclass(frozen=True, kw_only=True)
class SlotOrders:
    """Orders that are collected at one place and time, or delivered on one round."""

    label: str
    address: str
    orders: Sequence[OrderSummary]

    @property
    def left(self) -> int:
        return sum(order.is_going for order in self.orders)


def current_page(visit: Visit) -> Response:
    """Redirects to the hand-out of the sale that matters now."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = current_session(recent_sessions(tx, desk.enterprise.id), tx.now)
    if session is None:
        return visit.redirect(desk.address)
    return visit.redirect(f"{desk.address}/handout/{session.id}")


# ------------------------------------------------------------------------------------------------ the list


def list_page(visit: Visit) -> Response:
    words = visit.query.get("q", "").strip()[:_LONGEST]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        sale = sale_by_id(tx, session.id)
        placed = summaries_of_session(tx, desk.enterprise.id, session.id)
        all_orders = [order for order in placed if order.stands]
        result = look_for(tx, desk, session.id, placed, words) if words else None
        orders = result.orders if result else all_orders
        offered = slots_of_sale(tx, visit, desk, session.id)
        done = _done(tx, desk, visit.query.get("done", ""))
        now = tx.now
    shown = visit.query.get("show", "")
    if shown == "left":
        orders = [order for order in orders if order.is_going]
    if shown == "weigh":
        orders = [order for order in orders if order.is_going and order.unweighed]
    going = sum(order.is_going for order in all_orders)
    return show(
        visit,
        desk,
        "handout",
        at="handout",
        sale=sale,
        session=session,
        slots=slots_of(orders, offered),
        total=len(all_orders),
        gone=len(all_orders) - going,
        words=words,
        shown=shown,
        done=done,
        over=now >= session.ends_at,
        loaded_at=now,
        headers=_CAMERA,
        others=result.others if result else (),
    )


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What a search found: orders to hand out here, and others with the name of their sale: cancelled, not confirmed,
    or elsewhere."""

    orders: Sequence[OrderSummary]
    others: Sequence[tuple[OrderSummary, str]]


def look_for(tx: Transaction, desk: Desk, session_id: str, placed: Sequence[OrderSummary], words: str) -> SearchResult:
    """The orders that words find among those `placed` in the sale, and in others by number, e-mail or telephone."""
    matches = search_orders(tx, session_id, placed, words, addresses=desk.may("customers:read"))
    others = [order for order in matches if not order.stands]
    others += [order for order in in_other_sales(tx, desk, words, matches) if order.session_id != session_id]
    sales = sessions_by_id(tx, {order.session_id for order in others}) if others else {}
    return SearchResult(
        orders=[order for order in matches if order.stands],
        others=[(order, sales[order.session_id].name) for order in others],
    )


def search_json(visit: Visit) -> Response:
    """What a search on a telephone finds beyond names and numbers, as JSON: the list that it keeps has no addresses
    and no telephone numbers."""
    words = visit.query.get("q", "").strip()[:_LONGEST]
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
        result = look_for(tx, desk, session.id, summaries_of_session(tx, desk.enterprise.id, session.id), words)
    content = {
        "ids": [order.id for order in result.orders],
        "others": [
            {
                "url": f"{desk.address}/orders/{order.id}",
                "number": order.number,
                "name": order.name,
                "text": " · ".join(filter(None, (sale, _why_not(order, visit.language)))),
            }
            for order, sale in result.others
        ],
    }
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _why_not(order: OrderSummary, language: str) -> str:
    """Why an order is not handed out; "" if it is that of another sale."""
    if order.state == "Cancelled":
        return translate(language, "cancelled")
    return translate(language, "not confirmed yet") if order.confirm_by is not None else ""


def _done(tx: Transaction, desk: Desk, order_id: str) -> tuple[Order, int] | None:
    """The order that was just handed over, with the money that was taken; None if it is not one of this shop's."""
    if not order_id:
        return None
    order = order_by_id(tx, order_id, enterprise_id=desk.enterprise.id)
    if order.fulfilment_state != "Fulfilled":
        return None
    return order, sum(payment.amount for payment in money_of_hand_over(tx, order))


def slots_of(orders: Sequence[OrderSummary], offered: Offered) -> list[SlotOrders]:
    """The orders by slot and name: slots with people still to come first, each kind by time."""
    slots = [
        SlotOrders(
            label=slot_label(group[0], offered),
            address=group[0].shipping_address,
            orders=sorted(group, key=lambda order: (not order.is_going, search_key(order.name), order.number)),
        )
        for group in by_slot(orders).values()
    ]
    return sorted(slots, key=lambda slot: (not slot.left, slot_order(slot.orders[0], offered)))


# ------------------------------------------------------------------------------------------------ a person


def person_page(visit: Visit, doubtful: Sequence[str] = (), estimate: bool = False) -> Response:
    with visit.read() as tx:
        desk, sale, order = _order_of_path(tx, visit)
        empties = empties_of(tx, desk, order, visit.language)
        offered = slots_of_sale(tx, visit, desk, order.session_id)
        now = tx.now
    methods = methods_by_hand(visit, order) if desk.takes_money else []
    return show(
        visit,
        desk,
        "person",
        at="handout",
        sale=sale,
        session=sale.session,
        order=order,
        lines=[line for line in order.lines if line.quantity],
        missing=[line for line in order.lines if not line.quantity],
        due=due_of(order),
        methods=methods,
        typed=visit.form,
        doubtful=doubtful,
        estimate=estimate,
        empties=empties,
        told=visit.query.get("told", ""),
        counted=visit.query.get("counted", ""),
        in_field=partial(number_in_field, language=visit.language),
        vat=_vat_besides(order),
        slot=slot_label(order, offered),
        key=visit.instance.ids.secret(),
        over=now >= sale.session.ends_at,
        headers=_CAMERA,
    )


def _vat_besides(order: Order) -> int:
    """The VAT that a shop whose prices are without it adds to an order, in minor units; else 0."""
    lines = sum(line.amount + line.deposit * line.quantity for line in order.lines)
    return order.total - lines - sum(adjustment.amount for adjustment in order.adjustments)


def read_empties(typed: Mapping[str, str]) -> list[Returned]:
    """The empties of the fields of a page. Raises `Invalid`, which names the field."""
    returned, problems = [], []
    for name, text in typed.items():
        supplier_id, _, deposit = name.removeprefix(BACK).rpartition("/")
        pieces, amount = read_whole(text.strip() or "0"), read_whole(deposit)
        if pieces is None or amount is None:
            problem = "{text} is not a number of containers."
            problems.append(Problem("pieces", problem, f"/{name}", {"text": text.strip()[:20]}))
            continue
        if pieces > MOST_RETURNED:
            problem = "At most {most} containers of a kind come back at once."
            problems.append(Problem("pieces", problem, f"/{name}", {"most": MOST_RETURNED}))
            continue
        returned.append(Returned(supplier_id=supplier_id, deposit=amount, pieces=pieces))
    if problems:
        raise Invalid(problems)
    return returned


def _order_of_path(tx: Transaction, visit: Visit) -> tuple[Desk, Sale, Order]:
    desk = open_desk(tx, visit, "orders:pack")
    session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
    order = order_by_id(tx, visit.path["order"], enterprise_id=desk.enterprise.id)
    if order.session_id != session.id:
        raise Conflict("other_sale", "This order belongs to another sale.")
    return desk, sale_by_id(tx, session.id), order


@on_refusal(person_page)
def post_person(visit: Visit) -> Response:
    """Does what the form of a person's page is for."""
    return {"weigh": _weigh, "due": _due, "undo": _undo, "tell": _tell}.get(visit.query.get("then", ""), _hand_out)(
        visit
    )


def _weigh(visit: Visit) -> Response:
    """Saves weights and empties; a weight that differs much from what was ordered is asked once more."""
    typed = {name: value for name, value in visit.form.items() if name.startswith((FIELD, BACK))}
    doubtful: list[str] = []
    weights, returned = _read_counted(typed)
    with visit.write() as tx:
        _, _, order = _order_of_path(tx, visit)
        doubtful = doubtful_lines(order.lines, weights)
        if not doubtful or visit.form.get("sure") == " ".join(doubtful):
            doubtful = []
            _count(tx, visit, order, weights, returned)
    if doubtful:
        return person_page(ask_again(visit, doubtful), doubtful)
    return visit.redirect(visit.request.url.path + ("" if visit.query.get("then") == "weigh" else "?counted=1"))


def _due(visit: Visit) -> Response:
    """What would be due with weights and empties as they are typed, as JSON: only the server knows prices that follow
    a weight, such as fees. Nothing is saved."""
    typed = {name: value for name, value in visit.form.items() if name.startswith((FIELD, BACK))}
    try:
        weights, returned = _read_counted(typed)
        with visit.write() as tx, tx.attempt() as attempt:
            desk, _, order = _order_of_path(tx, visit)
            if not desk.sees_money:
                return JSONResponse({}, status_code=403)
            due = due_of(_count(tx, visit, order, weights, returned))
            attempt.rollback()
    except Refused as error:
        refusal = mistakes(visit, error, lambda name: False)
        return JSONResponse({"text": " ".join(refusal.general)}, status_code=422)
    return JSONResponse({"due": due}, headers={"Cache-Control": "no-store"})


def _read_counted(typed: Mapping[str, str]) -> tuple[dict[str, Decimal], list[Returned]]:
    """The weights and the empties of the fields of a page. Raises `Invalid`, which names the field."""
    weights = read_weights({name: value for name, value in typed.items() if name.startswith(FIELD)})
    return weights, read_empties({name: value for name, value in typed.items() if name.startswith(BACK)})


def _count(
    tx: Transaction, visit: Visit, order: Order, weights: Mapping[str, Decimal], returned: Sequence[Returned]
) -> Order:
    locked = locked_order(tx, order.id, enterprise_id=order.enterprise_id)
    if weights:
        locked = weigh_order(tx, visit.instance.hooks, locked, weights, by=visit.actor.person_id)
    return count_returned(tx, locked, returned, by=visit.actor.person_id)


def read_weights(typed: Mapping[str, str]) -> dict[str, Decimal]:
    """Weights by line id; empty fields are left out. A weight may be a sum: 0,192+0,167. Raises `Invalid`."""
    weights, problems = dict[str, Decimal](), []
    for name, text in typed.items():
        if not text.strip():
            continue
        try:
            weights[name.removeprefix(FIELD)] = _read_sum(text)
        except InvalidOperation:
            values = {"text": text.strip()[:20]}
            problems.append(
                Problem("weight", "{text} is not a weight. Write it like 0.985, or 0.5+0.48.", f"/{name}", values)
            )
    if problems:
        raise Invalid(problems)
    return weights


def _read_sum(text: str) -> Decimal:
    if len(text) > _LONGEST_SUM:
        raise InvalidOperation
    parts = [read_decimal(part.strip().replace(",", ".")) for part in text.split("+")]
    if not all(part.is_finite() and part >= 0 for part in parts):
        raise InvalidOperation
    return sum(parts, Decimal(0))


def doubtful_lines(lines: Iterable[PricedLine], weights: Mapping[str, Decimal]) -> list[str]:
    """Ids of lines whose weight is more than 30 % off what was ordered: 1.000 typed for 1000 g, or a slip."""
    return [
        line.id
        for line in lines
        if line.id in weights
        and weights[line.id]  # nothing at all is clear: it could not be delivered
        and abs(weights[line.id] - line.unit_quantity * line.quantity) > line.unit_quantity * line.quantity * MUCH
    ]


def ask_again(visit: Visit, doubtful: Sequence[str]) -> Visit:
    text = "This is far from what was ordered. Save again if it is right."
    problems = [Problem("doubtful", text, f"/{FIELD}{line_id}") for line_id in doubtful]
    return with_mistakes(visit, Invalid(problems), any_field)


def _hand_out(visit: Visit) -> Response:
    """Takes the money, if there is any, and hands the goods over. Weights and empties that are typed and not yet saved
    are saved first, and the page shows what is due with them."""
    method = visit.form.get("method", "")
    with visit.read() as tx:
        desk, _, order = _order_of_path(tx, visit)
        is_counted = _is_counted(tx, order, visit.form)
    if method and not desk.takes_money:
        raise Forbidden("no_money", "Your role does not take money. Hand the goods over without it.")
    if not is_counted:
        return _weigh(visit)
    allowed = [offered.id for offered in methods_by_hand(visit, order)] if method else []
    event = HandOut(
        order_id=order.id,
        key=visit.form.get("key", "")[:100],
        method=method,
        amount=read_whole(visit.form.get("due", ""), 12) or 0,
        at_estimate="estimate" in visit.form,
    )
    try:
        with visit.write() as tx:
            desk, sale, _ = _order_of_path(tx, visit)
            hand_out(tx, visit.instance, desk.enterprise.id, event, by=visit.actor.person_id or "", allowed=allowed)
    except Refused as error:
        if error.code != "not_weighed":
            raise
        text = "Not weighed yet. Type the weight and save it, or press again to hand over at the estimate."
        return person_page(with_mistakes(visit, Invalid([Problem("not_weighed", text)])), estimate=True)
    return visit.redirect(f"{desk.address}/handout/{sale.session.id}?done={order.id}")


def _is_counted(tx: Transaction, order: Order, form: Mapping[str, str]) -> bool:
    """Whether the weights and the empties of a form are those of the order; what cannot be read is not."""
    typed = {name: value for name, value in form.items() if name.startswith((FIELD, BACK))}
    try:
        weights, returned = _read_counted(typed)
    except Invalid:
        return False
    known = {line.id: line.final_quantity for line in order.lines}
    before = {(each.supplier_id, each.deposit): each.pieces for each in returned_of(tx, order.id)} if returned else {}
    return all(known.get(id) == weight for id, weight in weights.items()) and all(
        before.get((each.supplier_id, each.deposit), 0) == each.pieces for each in returned
    )


def _tell(visit: Visit) -> Response:
    """Mails the customer that nobody has come, and asks what shall be done."""
    with visit.write() as tx:
        desk, _, order = _order_of_path(tx, visit)
        tell_not_collected(tx, locked_order(tx, order.id, enterprise_id=desk.enterprise.id))
    return visit.redirect(f"{visit.request.url.path}?told=1")


def _undo(visit: Visit) -> Response:
    """Undoes a hand-over with its money: a slip of the thumb."""
    with visit.write() as tx:
        desk, _, order = _order_of_path(tx, visit)
        if money_of_hand_over(tx, order) and not desk.takes_money:
            raise Conflict("money", "Money was recorded with this. Ask somebody who takes money to undo it.")
        undo(tx, desk.enterprise.id, order.id, by=visit.actor.person_id or "")
    return visit.redirect(visit.request.url.path)
