"""Pack: crate after crate by customer, or product after product, or only what is to be weighed, in walking order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby

from starlette.responses import JSONResponse, Response

from commensal import (
    Invalid,
    OrderSummary,
    PricedLine,
    Problem,
    Refused,
    SaleSession,
    Transaction,
    format_hour,
    read_whole,
    search_key,
    translate,
)
from commensal.orders import lines_of_session, locked_order, order_is_ready, weigh_order
from commensal.pages import Visit, with_mistakes
from commensal.parts.distribution import Shelf, pack_into, shelves_of_session, summaries_of_session

from ..frame.desk import Desk, open_desk
from ..frame.render import number_in_field, show
from ..frame.sessions import Offered, chosen_session, recent_sessions, session_of_page, slots_of_sale
from .hand_over import PackedLine, lay_in, packed_lines
from .handout import FIELD, ask_again, doubtful_lines, read_weights, slots_of

TICK = "tick/"  # and a line's id: the name of a box
_WAYS = ("customer", "product", "weigh")
_ZONES = ("dry", "fragile", "chilled", "frozen")  # in walking order: what must stay cold is fetched last


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A line of an order, with where its goods stand and whether they lie in its crate."""

    order: OrderSummary
    line: PricedLine
    shelf: Shelf
    laid_in: PackedLine | None = None  # the whole line lies in its crate


@dataclass(frozen=True, kw_only=True)
class Crate:
    """An order with its lines, by zone in walking order. `progress`: how far it is, and who was at it last."""

    order: OrderSummary
    slot: str
    zones: Sequence[tuple[str, Sequence[Packed]]]
    progress: str


@dataclass(frozen=True, kw_only=True)
class PackedProduct:
    """All lines of one product: packed order by order."""

    name: str
    supplier: str
    unit_quantity: Decimal
    unit: str
    packed: Sequence[Packed]

    @property
    def pieces(self) -> int:
        return sum(each.line.quantity for each in self.packed)


_UNWEIGHED = (
    "Goods of this order are still to be weighed. Weigh them, or press again to tell the customer all the same."
)


def pack_page(visit: Visit, doubtful: Sequence[str] = ()) -> Response:
    way = visit.query.get("by", "")
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        packed = _packed(tx, desk, session) if session else []
        offered = slots_of_sale(tx, visit, desk, session.id) if session else {}
    way = way if way in _WAYS else "customer"
    if way == "weigh":
        packed = [each for each in packed if each.line.weighed]
    return show(
        visit,
        desk,
        "pack",
        at="pack",
        session=session,
        sessions=sessions,
        way=way,
        crates=_crates(packed, offered, visit.language, desk.enterprise.timezone) if way == "customer" else (),
        zones=[] if way == "customer" else _by_product(packed),
        typed=_typed(visit),
        doubtful=doubtful,
        zone_names=_zone_names(visit.language),
        in_field=partial(number_in_field, language=visit.language),
        left=sum(each.line.final_quantity is None for each in packed),
    )


def _typed(visit: Visit) -> dict[str, str]:
    """The fields of the page: that for crates is named by its order there, and the form has only one."""
    crates = {f"crates/{visit.form['order']}": visit.form.get("crates", "").strip()} if "order" in visit.form else {}
    return {**visit.form, **crates}


def _zone_names(language: str) -> dict[str, str]:
    return {
        "dry": translate(language, "Dry and at room temperature"),
        "fragile": translate(language, "Fragile"),
        "chilled": translate(language, "Chilled"),
        "frozen": translate(language, "Frozen"),
    }


def _packed(tx: Transaction, desk: Desk, session: SaleSession) -> list[Packed]:
    """The lines of the orders that still go, and that guests have confirmed: five statements and a half for all."""
    orders = summaries_of_session(tx, desk.enterprise.id, session.id)
    lines = lines_of_session(tx, desk.enterprise.id, session.id)
    shelves = shelves_of_session(tx, desk.enterprise.id, session.id)
    laid_in = packed_lines(tx, desk.enterprise.id, session.id)
    return [
        Packed(
            order=order,
            line=line,
            shelf=shelves[line.product_id],
            laid_in=laid_in[line.id] if line.id in laid_in and laid_in[line.id].is_of(line) else None,
        )
        for order in orders
        if order.is_going and order.stands
        for line in lines.get(order.id, ())
        if line.quantity
    ]


def _crates(packed: Sequence[Packed], offered: Offered, language: str, zone: str) -> list[Crate]:
    """The orders by slot and name, the lines of each by zone and name."""
    by_order = {order_id: list(group) for order_id, group in groupby(packed, lambda each: each.order.id)}
    orders = [group[0].order for group in by_order.values()]
    return [
        Crate(
            order=order,
            slot=slot.label,
            zones=_by_zone(by_order[order.id]),
            progress=_progress(by_order[order.id], language, zone),
        )
        for slot in slots_of(orders, offered)
        for order in slot.orders
    ]


def _progress(packed: Sequence[Packed], language: str, zone: str) -> str:
    """How much of an order lies in its crate, and who laid it in last: 2 of 5 · Karim, 06:31. "" before anybody has."""
    laid_in = [each.laid_in for each in packed if each.laid_in is not None]
    if not laid_in:
        return ""
    last = max(laid_in, key=lambda line: line.at)
    text = translate(language, "{number} of {all} in the crate").format(number=len(laid_in), all=len(packed))
    return " · ".join([text, ", ".join(filter(None, [last.by, format_hour(last.at, zone, language)]))])


def _by_zone(packed: Sequence[Packed]) -> list[tuple[str, Sequence[Packed]]]:
    in_order = sorted(packed, key=lambda each: (_ZONES.index(each.shelf.zone), search_key(each.line.name)))
    return [(zone, list(group)) for zone, group in groupby(in_order, lambda each: str(each.shelf.zone))]


def _by_product(packed: Sequence[Packed]) -> list[tuple[str, list[PackedProduct]]]:
    """The products by zone, supplier and name; their orders by number."""

    def place(each: Packed) -> tuple[int, str, str, str]:
        shelf, line = each.shelf, each.line
        return _ZONES.index(shelf.zone), search_key(shelf.supplier), search_key(line.name), line.product_id

    products = [
        (each[0].shelf.zone, _packed_product(each))
        for each in (list(group) for _, group in groupby(sorted(packed, key=place), place))
    ]
    return [(str(zone), [product for _, product in group]) for zone, group in groupby(products, lambda each: each[0])]


def _packed_product(packed: Sequence[Packed]) -> PackedProduct:
    line = packed[0].line
    return PackedProduct(
        name=line.name,
        supplier=packed[0].shelf.supplier,
        unit_quantity=line.unit_quantity,
        unit=line.unit,
        packed=sorted(packed, key=lambda each: each.order.number),
    )


def post_pack(visit: Visit) -> Response:
    """Saves weights, what lies in its crate, or into how many crates an order went and that it is packed."""
    if visit.query.get("then") == "weigh":
        return _weigh(visit)
    return _tick(visit) if visit.query.get("then") == "ticks" else _pack(visit)


def _tick(visit: Visit) -> Response:
    """Saves which of the shown lines lie in their crates: by the button of a page, or by its script."""
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = chosen_session(tx, desk.enterprise.id, visit.query.get("sale", ""))
        _lay_in(tx, visit, desk, session.id)
    if visit.form.get("script"):
        return progress_json(visit)
    return visit.redirect(f"{desk.address}/pack?by=product&sale={session.id}")


def _lay_in(tx: Transaction, visit: Visit, desk: Desk, session_id: str) -> None:
    ticked = [name.removeprefix(TICK) for name in visit.form if name.startswith(TICK)]
    lines = lines_of_session(tx, desk.enterprise.id, session_id)
    lay_in(
        tx,
        desk.enterprise.id,
        session_id,
        lines,
        visit.form.get("lines", "").split(),
        ticked,
        by=visit.actor.person_id or "",
    )


def progress_json(visit: Visit) -> Response:
    """Which lines of a sale lie in their crates and how far each order is, as JSON: what other telephones have done."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = chosen_session(tx, desk.enterprise.id, visit.query.get("sale", ""))
        packed = _packed(tx, desk, session)
    by_order = {order_id: list(group) for order_id, group in groupby(packed, lambda each: each.order.id)}
    zone = desk.enterprise.timezone
    content = {
        "lines": [each.line.id for each in packed if each.laid_in],
        "crates": {order_id: _progress(group, visit.language, zone) for order_id, group in by_order.items()},
    }
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _pack(visit: Visit) -> Response:
    order_id = visit.form.get("order", "")
    typed = visit.form.get("crates", "").strip()
    try:
        crates = read_whole(typed, 3)
        if typed and crates is None:
            raise Invalid([Problem("crates", "Write a number of crates, such as 2.", f"/crates/{order_id}")])
        with visit.write() as tx:
            desk = open_desk(tx, visit, "orders:pack")
            order = locked_order(tx, order_id, enterprise_id=desk.enterprise.id)
            order = pack_into(tx, order, order.crates if crates is None else crates)
            _lay_in(tx, visit, desk, order.session_id)
            if visit.form.get("ready"):
                if order.awaits_scales and visit.form.get("sure") != order.id:
                    raise Invalid([Problem("awaits_scales", _UNWEIGHED, f"/crates/{order.id}")])
                order_is_ready(tx, order)
    except Refused as error:
        unweighed = [order_id for problem in error.problems if problem.code == "awaits_scales"]
        return pack_page(with_mistakes(visit, error, _is_field), unweighed)
    return visit.redirect(f"{desk.address}/pack?sale={order.session_id}#o-{order.id}")


def _is_field(visit: Visit, name: str) -> bool:
    return name.startswith((FIELD, "crates/"))


def _weigh(visit: Visit) -> Response:
    """Saves the weights of all orders that the form names, or none; what is far from the order is asked once more."""
    typed = {name: value for name, value in visit.form.items() if name.startswith(FIELD)}
    doubtful: list[str] = []
    weights = read_weights(typed)
    with visit.write() as tx:
        desk = open_desk(tx, visit, "orders:pack")
        session = chosen_session(tx, desk.enterprise.id, visit.query.get("sale", ""))
        lines = lines_of_session(tx, desk.enterprise.id, session.id)
        by_order = {
            order_id: {line.id: weights[line.id] for line in of_order if line.id in weights}
            for order_id, of_order in lines.items()
        }
        doubtful = [name for of_order in lines.values() for name in doubtful_lines(of_order, weights)]
        if not doubtful or visit.form.get("sure") == " ".join(doubtful):
            doubtful = []
            _save(tx, visit, desk, {order_id: each for order_id, each in by_order.items() if each})
    if doubtful:
        return pack_page(ask_again(visit, doubtful), doubtful)
    return visit.redirect(f"{desk.address}/pack?by=weigh&sale={session.id}")


def _save(tx: Transaction, visit: Visit, desk: Desk, weights: Mapping[str, Mapping[str, Decimal]]) -> None:
    for order_id in sorted(weights):  # in one order, so that two who save do not wait for each other for ever
        order = locked_order(tx, order_id, enterprise_id=desk.enterprise.id)
        known = {line.id: line.final_quantity for line in order.lines}
        changed = {line: weight for line, weight in weights[order_id].items() if known[line] != weight}
        if changed:
            weigh_order(tx, visit.instance.hooks, order, changed, by=visit.actor.person_id)
