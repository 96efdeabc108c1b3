"""The page of a sale: its offers, and a form that saves the cart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urlencode

from starlette.responses import Response

from commensal import Invalid, Problem, Sale, Transaction, known_customer
from commensal.pages import Visit
from commensal.trade import (
    VisibleOffer,
    cart_items,
    cart_of,
    count_offers,
    fill_cart,
    is_coming,
    is_open,
    offers_for,
    open_cart,
    sale_for,
)

from .guest import CartOwner, cart_owner, new_owner, set_guest_secret
from .products import group_by_kind, search_offers
from .showing import NONE, Mistakes, mistakes, show, status_of

AT_ONCE = 300  # offers on one page
FIELD = "items/"  # prefix of quantity fields; the item's id follows
WAS = "was"  # the field with the quantities at the time when the page was shown
MEMBER = "member"  # the field that is filled if the visitor was logged in when the page was shown
_PAGE = "page/"  # prefix of the value of a button that leads to another page of the sale; the number follows
_LONGEST_SEARCH = 200  # characters
_LONGEST = 20  # characters of a quantity


@dataclass(frozen=True, kw_only=True)
class SaleView:
    """A sale as this visitor sees it."""

    sale: Sale
    now: datetime
    offers: list[VisibleOffer]  # of one page
    in_cart: Mapping[str, int]
    page: int = 1
    pages: int = 1

    @property
    def open(self) -> bool:
        return is_open(self.sale.session, self.now)


def sale_page(visit: Visit) -> Response:
    with visit.read() as tx:
        view = _load_view(tx, visit)
    return _page(visit, view, {item: str(pieces) for item, pieces in view.in_cart.items()})


def save_cart(visit: Visit) -> Response:
    """Sets the quantities that were changed on the page, and leaves the others as they are now: the same cart may be
    open in another tab. Then redirects to the cart, to a search, or to another page of the sale.

    Handles the forms of the sale's page and of the cart's page.
    """
    session_id = visit.path["session"]
    form = visit.form.items()
    typed = {name.removeprefix(FIELD): value[:_LONGEST] for name, value in form if name.startswith(FIELD)}
    before = parse_quantities(visit.form.get(WAS, ""))
    owner, secret = new_owner(visit, session_id)
    try:
        changes = {item: pieces for item, pieces in read_quantities(typed).items() if pieces != before.get(item, 0)}
        saved = visit.instance.store.transact(lambda tx: _save(tx, visit, owner, changes))
    except Invalid as error:
        with visit.read() as tx:
            view = _load_view(tx, visit, list(typed))  # the page they come from
        errors = mistakes(visit, error, lambda name: name.startswith(FIELD))
        return _page(visit, view, typed, errors, status_of(error))
    next_url = f"/sales/{session_id}{_onward(visit) if saved else ''}"
    if visit.actor.person_id is None and visit.form.get(MEMBER):  # they were logged in when the page was shown
        next_url = f"/login?next={quote(next_url)}&lost=1"
    return set_guest_secret(visit.redirect(next_url), visit, secret)


def _onward(visit: Visit) -> str:
    """The path and query to which saving leads, after the address of the sale."""
    then, search = visit.form.get("then", ""), visit.form.get("q", "").strip()[:_LONGEST_SEARCH]
    if then == "checkout":
        return "/checkout"
    page = then.removeprefix(_PAGE) if then.startswith(_PAGE) else ""
    if then == "search" and search == visit.form.get("sought", ""):
        page = visit.form.get("at", "")  # Enter in any field presses the first button: they stay where they are
    if page or then == "search" or search != visit.form.get("sought", ""):
        parameters = {name: value for name, value in (("page", page), ("q", search)) if value}
        return f"?{urlencode(parameters)}" if parameters else ""
    return "/cart"


def visible_offers(tx: Transaction, visit: Visit, sale: Sale, item_ids: list[str] | None = None) -> list[VisibleOffer]:
    """The offers of the sale to this visitor, at their prices."""
    return offers_for(tx, sale.session.id, _categories(tx, visit, sale), item_ids=item_ids)


def _categories(tx: Transaction, visit: Visit, sale: Sale) -> Collection[str]:
    return known_customer(tx, sale.shop.id, visit.actor.person_id).category_ids


def _load_view(tx: Transaction, visit: Visit, item_ids: list[str] | None = None) -> SaleView:
    """Loads the page of the sale that the visitor asks for, or only these items."""
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    cart = cart_of(tx, sale.session.id, **cart_owner(visit, sale.session.id))
    view = SaleView(sale=sale, now=tx.now, offers=[], in_cart=cart_items(tx, cart) if cart else {})
    if not view.open and not is_coming(sale.session, tx.now):
        return view
    if item_ids is not None:
        return replace(view, offers=visible_offers(tx, visit, sale, item_ids))
    if search := _search_words(visit):  # in names and product types, which the database does not have in every language
        matches = search_offers(visible_offers(tx, visit, sale), search)
        page, pages = _page_of(visit, len(matches))
        return replace(view, offers=matches[(page - 1) * AT_ONCE : page * AT_ONCE], page=page, pages=pages)
    categories = _categories(tx, visit, sale)
    if "page" not in visit.query:
        offers = offers_for(tx, sale.session.id, categories, limit=AT_ONCE + 1)
        if len(offers) <= AT_ONCE:  # all of them, as at most sales: no need to count
            return replace(view, offers=offers)
        _, pages = _page_of(visit, count_offers(tx, sale.session.id, categories))
        return replace(view, offers=offers[:AT_ONCE], pages=pages)
    page, pages = _page_of(visit, count_offers(tx, sale.session.id, categories))
    offers = offers_for(tx, sale.session.id, categories, skip=(page - 1) * AT_ONCE, limit=AT_ONCE)
    return replace(view, offers=offers, page=page, pages=pages)


def _search_words(visit: Visit) -> str:
    return (visit.query.get("q") or visit.form.get("q", "")).strip()[:_LONGEST_SEARCH]


def _page_of(visit: Visit, count: int) -> tuple[int, int]:
    """The number of the requested page or the nearest existing one, and the number of pages for `count` offers."""
    pages = max(1, -(-count // AT_ONCE))
    number = visit.query.get("page", "1")
    requested = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    return min(requested, pages) or 1, pages


def _page(
    visit: Visit, view: SaleView, values: Mapping[str, str], errors: Mistakes = NONE, status: int = 200
) -> Response:
    errors_by_item = {name.removeprefix(FIELD): message for name, message in errors.fields.items()}
    session, shop = view.sale.session, view.sale.shop
    context = {"open": view.open, "closes_at": session.closes_at, "currency": shop.currency, "zone": shop.timezone}
    context |= {"lang": shop.language if shop.language != visit.language else ""}
    in_cart = sum(view.in_cart.values())
    return show(
        visit,
        "sale",
        status=status,
        basket=in_cart if view.open else None,
        sale=view.sale,
        open=view.open,
        coming=is_coming(view.sale.session, view.now),
        kinds=group_by_kind(
            view.offers,
            values,
            errors_by_item,
            now=view.now,
            language=visit.language,
            declared=visit.instance.store.plugin_fields.products,
        ),
        cards=visit.pieces("shop/product.html", "product", **context),
        names={f"{FIELD}{offer.item_id}": offer.name for offer in view.offers},
        in_cart=in_cart,
        was=format_quantities(view.in_cart),
        sought=_search_words(visit),
        page=view.page,
        pages=view.pages,
        mistakes=errors,
    )


def _save(tx: Transaction, visit: Visit, owner: CartOwner, changes: Mapping[str, int]) -> bool:
    """Saves the changes in the cart; returns False if the sale is not open."""
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    if not is_open(sale.session, tx.now):
        return False
    item_ids = {offer.item_id for offer in visible_offers(tx, visit, sale, list(changes))}
    cart = cart_of(tx, sale.session.id, **owner, lock=True)
    before = cart_items(tx, cart) if cart else {}
    items = {**before, **{item: pieces for item, pieces in changes.items() if item in item_ids or item in before}}
    if cart is None and not any(items.values()):
        return True  # visitors without items leave no row
    cart = cart or open_cart(tx, sale.session.id, language=visit.language, **owner)
    fill_cart(tx, cart, items)
    return True


def format_quantities(items: Mapping[str, int]) -> str:
    """The cart's quantities as text for a hidden field of the form: ``item:2 other:1``."""
    return " ".join(f"{item}:{pieces}" for item, pieces in items.items())


def parse_quantities(field: str) -> dict[str, int]:
    """Parses the text of `format_quantities` into pieces by item."""
    pairs = (pair.rpartition(":") for pair in field.split())
    return {item: int(pieces) for item, _, pieces in pairs if _is_number(pieces)}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def read_quantities(typed: Mapping[str, str]) -> dict[str, int]:
    """Pieces by item; an empty field means 0. Raises `Invalid` naming every field that is no number."""
    problems, pieces = [], {}
    for item, value in typed.items():
        plain = value.strip() or "0"
        if _is_number(plain):
            pieces[item] = int(plain)
        else:
            text = "{text} is no number of pieces."
            problems.append(Problem("not_a_number", text, f"/{FIELD}{item}", {"text": plain[:20]}))
    if problems:
        raise Invalid(problems)
    return pieces
