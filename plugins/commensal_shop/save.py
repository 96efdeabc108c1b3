"""Saves quantities into the cart, and adds what is in it to an order that stands already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from commensal import Invalid, Order, Refused, Sale, Transaction, fingerprint, say, translate
from commensal.orders import (
    cart_items,
    cart_of,
    change_order,
    empty_cart,
    fill_cart,
    locked_guest_order,
    locked_order,
    names_of_lines,
    open_cart,
)
from commensal.pages import Visit
from commensal.sale_sessions import is_open, sale_for

from .browsing import STAR, UNSTAR, Filters, mark_favourite, read_filters
from .cart import JoinableOrder, joinable_order, load_cart, visible_offers, why_not_open
from .change import ask_for_new_amount, typed_number
from .dock import dock_of, render_dock
from .guest import CartOwner, cart_owner, new_owner, set_guest_secret
from .orders import OrderAccess, sale_to_order_again, totals_of
from .quantities import (
    AGAIN,
    FIELD,
    WAS,
    format_quantities,
    merge_quantity,
    parse_quantities,
    read_quantities,
    typed_quantities,
)
from .sale import ALL, AT, MEMBER, ONLY, PAGE, SHELF, SOUGHT, show_refused
from .showing import is_script, on_refusal, show, with_mistakes


def save_cart(visit: Visit) -> Response:
    """Adds what was changed on the page to the cart as it is now: the same cart may be open in another tab. Then
    redirects to the cart, to a search, or to another page of the sale; a script gets the cart's state as JSON.

    Handles the forms of the sale's page and of the cart's page.
    """
    session_id, form = visit.path["session"], visit.form
    typed, before = typed_quantities(form), parse_quantities(form.get(WAS, ""))
    owner, secret = new_owner(visit, session_id)
    logged_out = visit.actor.person_id is None and bool(form.get(MEMBER))  # since the page was shown
    try:
        changes = {item: pieces for item, pieces in read_quantities(typed).items() if pieces != before.get(item, 0)}
        knows_cart = not logged_out and not form.get(AGAIN)  # else it is another cart, or may have changed since
        was = before if knows_cart else None
        saved = visit.instance.store.transact(lambda tx: _save(tx, visit, owner, changes, was))
        _mark(visit, form.get("then", ""))
    except Invalid as error:
        return _explain(visit, error) if is_script(visit) else show_refused(visit, typed, error)
    next_url = f"/sales/{session_id}{_onward(visit) if saved else ''}"
    log_in_url = f"/login?next={quote(next_url)}&lost=1" if logged_out else ""
    response = _state(visit, owner, log_in_url) if is_script(visit) else visit.redirect(log_in_url or next_url)
    return set_guest_secret(response, visit, secret)


def _mark(visit: Visit, then: str) -> None:
    """Marks goods as a favourite, or takes the mark off, if that button was pressed."""
    prefix = next((prefix for prefix in (STAR, UNSTAR) if then.startswith(prefix)), "")
    if prefix and visit.actor.person_id is not None:
        with visit.write() as tx:
            mark_favourite(tx, visit.actor.person_id, then.removeprefix(prefix), marked=prefix == STAR)


def _save(
    tx: Transaction, visit: Visit, owner: CartOwner, changes: Mapping[str, int], was: Mapping[str, int] | None
) -> bool:
    """Saves the changes in the cart; returns False if the sale is not open. `was` is what the page has shown of the
    cart; None: the cart shall have the quantities of the page."""
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    if not is_open(sale.session, tx.now):
        return False
    if not changes:
        return True
    item_ids = {offer.item_id for offer in visible_offers(tx, visit, sale, list(changes))}
    cart = cart_of(tx, sale.session.id, **owner, lock=True)
    now = cart_items(tx, cart) if cart else {}
    merged = {
        item: merge_quantity(now.get(item, 0), (now if was is None else was).get(item, 0), pieces)
        for item, pieces in changes.items()
        if item in item_ids or item in now
    }
    if cart is None and not any(merged.values()):
        return True  # visitors without items leave no row
    cart = cart or open_cart(tx, sale.session.id, language=visit.language, **owner)
    fill_cart(tx, cart, {**now, **merged})
    return True


# ------------------------------------------------------------------------------------------------ what comes next


def _onward(visit: Visit) -> str:
    """The path and query to which saving leads, after the address of the sale."""
    then, sought = visit.form.get("then", ""), visit.form.get(SOUGHT, "")
    if then in ("checkout", "join"):
        return f"/{then}"
    filters = _chosen_filters(visit.form, then)
    if then.startswith((STAR, UNSTAR)):
        anchor = f"#good-{quote(then.partition('/')[2])}"
        page_now = visit.form.get(AT, "")
        return _query(page_now, filters) + anchor
    page = then.removeprefix(PAGE) if then.startswith(PAGE) else ""
    if then == "search" and filters.query == sought:
        page = visit.form.get(AT, "")  # Enter in any field presses the first button: they stay where they are
    if page or then == "search" or filters.query != sought:
        return _query(page, filters)
    return "/cart"


def _query(page: str, filters: Filters) -> str:
    parameters = [f"page={quote(page)}" if page else "", filters.query]
    query = "&".join(parameter for parameter in parameters if parameter)
    return f"?{query}" if query else ""


def _chosen_filters(form: Mapping[str, str], then: str) -> Filters:
    """The filters in the form's fields, and that of the button that was pressed."""
    if then == ALL:
        return Filters()
    filters = read_filters(form)
    if then.startswith(SHELF):
        return replace(filters, shelf=then.removeprefix(SHELF))
    return replace(filters, only=then.removeprefix(ONLY)) if then.startswith(ONLY) else filters


# ------------------------------------------------------------------------------------------------ for the script


def _state(visit: Visit, owner: CartOwner, log_in_url: str) -> Response:
    """The cart as it is now. `items` are pieces by item, `problems` texts by item, `dock` is HTML; `basket` is the
    text of the link to the basket; `notice` is a text
    for the visitor with the address `link` to follow, both "" if there is nothing to say. `refused`: nothing was saved,
    see `_explain`."""
    with visit.read() as tx:
        cart = load_cart(tx, visit, owner=owner)
        joins = joinable_order(tx, visit, cart.sale.session.id) is not None
        notice = why_not_open(cart, tx.now, visit.language)
    if log_in_url:
        notice = translate(
            visit.language, "You are not logged in any more. Log in again to find your basket as it was."
        )
    return _json(
        {
            "refused": False,
            "items": cart.items,
            "was": format_quantities(cart.items),
            "problems": {row.item_id: row.problem for row in cart.rows if row.problem},
            "basket": translate(visit.language, "Basket ({number})").format(number=sum(cart.items.values())),
            "dock": render_dock(visit, dock_of(visit, cart, joins=joins)),
            "notice": notice,
            "link": log_in_url,
        }
    )


def _explain(visit: Visit, error: Invalid) -> Response:
    problems = {
        problem.where.rpartition(FIELD)[2]: say(visit.language, problem) for problem in error.problems if problem.where
    }
    return _json({"refused": True, "problems": problems})  # 200: browsers report other answers as faults of the page


def _json(content: Mapping[str, object]) -> Response:
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


# Adds what is in a basket to an order that the visitor has placed at the same sale.


def join_page(visit: Visit) -> Response:
    """Shows what the order would be with the basket. Changes nothing."""
    session_id = visit.path["session"]
    with visit.read() as tx:
        cart = load_cart(tx, visit)
        joined = joinable_order(tx, visit, session_id)
    if joined is None or not cart.ready or cart.id is None:
        return visit.redirect(f"/sales/{session_id}/cart")
    try:
        preview = visit.instance.store.transact(lambda tx: _preview(tx, visit, joined))
        with visit.read() as tx:
            line_names = names_of_lines(tx, preview.lines, reader=visit.language, own=cart.sale.shop.language)
    except Refused as error:
        visit = visit if visit.mistakes else with_mistakes(visit, error, ())
        preview, line_names = None, {}
    return show(
        visit,
        "join",
        sale=cart.sale,
        cart=cart,
        joined=joined,
        preview=preview,
        line_names=line_names,
        sums=totals_of(preview) if preview else None,
    )


@on_refusal(join_page, ())
def post_join(visit: Visit) -> Response:
    """Adds the basket to the order, at the total that the customer has seen. Sending the form twice adds it once."""
    with visit.read() as tx:
        joined = joinable_order(tx, visit, visit.path["session"])
    if joined is None:
        return visit.redirect(f"/sales/{visit.path['session']}/cart")
    order = visit.instance.store.transact(lambda tx: _join(tx, visit, joined, typed_number(visit, "total")))
    if order is not None:
        ask_for_new_amount(visit, joined.address, order)
    return visit.redirect(joined.address)


def _preview(tx: Transaction, visit: Visit, joined: JoinableOrder) -> Order:
    with tx.attempt() as attempt:
        order = _change(tx, visit, joined, None)
        attempt.rollback()
    return order


def _join(tx: Transaction, visit: Visit, joined: JoinableOrder, shown_total: int) -> Order | None:
    """Changes the order and empties the cart. None if another request has done so meanwhile."""
    session_id, cart_id = visit.path["session"], visit.form.get("cart", "")
    if cart_of(tx, session_id, **cart_owner(visit, session_id), lock=True) != cart_id:
        return None
    order = _change(tx, visit, joined, shown_total)
    empty_cart(tx, cart_id)
    return order


def _change(tx: Transaction, visit: Visit, joined: JoinableOrder, shown_total: int | None) -> Order:
    session_id, person_id = visit.path["session"], visit.actor.person_id
    if joined.secret is None:
        order = locked_order(tx, joined.order.id, person_id=person_id)
    else:
        order = locked_guest_order(tx, fingerprint(joined.secret))
    cart = cart_of(tx, session_id, **cart_owner(visit, session_id))
    items = cart_items(tx, cart) if cart else {}
    for line in order.lines:
        if line.substitutes_id is None:
            items[line.item_id] = items.get(line.item_id, 0) + line.quantity
    return change_order(tx, visit.instance.hooks, order, items=items, total=shown_total, by=person_id)


# Puts what was ordered once into the basket of the sale that is open now.


def post_order_again(visit: Visit) -> Response:
    """Fills the basket and shows it. Goods that are not on sale now are left out; what the basket has already stays, so
    sending the form twice adds nothing."""
    access = OrderAccess(visit)
    with visit.read() as tx:
        order = access.order(tx)
        sale = sale_to_order_again(tx, order)
    if sale is None:
        return visit.redirect(access.address)
    owner, secret = new_owner(visit, sale.session.id)
    visit.instance.store.transact(lambda tx: _fill(tx, visit, order, sale, owner))
    return set_guest_secret(visit.redirect(f"/sales/{sale.session.id}/cart"), visit, secret)


def _fill(tx: Transaction, visit: Visit, order: Order, sale: Sale, owner: CartOwner) -> None:
    ordered: dict[str, int] = {}
    for line in order.lines:
        if line.substitutes_id is not None:
            continue  # it came instead of what was wanted
        ordered[line.item_id] = ordered.get(line.item_id, 0) + line.quantity
    offers = visible_offers(tx, visit, sale, list(ordered))
    available = {offer.item_id: ordered[offer.item_id] for offer in offers if offer.left != 0}
    if available:
        cart = open_cart(tx, sale.session.id, language=visit.language, **owner)
        now = cart_items(tx, cart)
        fill_cart(tx, cart, {**now, **{item: max(pieces, now.get(item, 0)) for item, pieces in available.items()}})
