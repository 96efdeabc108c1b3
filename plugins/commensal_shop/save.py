"""Saves quantities into the cart: those of a form, or each by itself from the script of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from commensal import Invalid, Transaction, say, translate
from commensal.orders import cart_items, cart_of, fill_cart, open_cart
from commensal.pages import Visit
from commensal.sale_sessions import is_open, sale_for

from .cart import joinable_order, load_cart, visible_offers, why_not_open
from .dock import dock_of, render_dock
from .filters import STAR, UNSTAR, Filters, mark_favourite, read_filters
from .guest import CartOwner, new_owner, set_guest_secret
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
from .showing import is_script


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
