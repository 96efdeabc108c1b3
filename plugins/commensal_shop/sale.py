"""The page of a sale: what is on offer, and one form that saves the cart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urlencode

from starlette.responses import Response

from commensal import (
    Invalid,
    Problem,
    Sale,
    Transaction,
    VisibleOffer,
    Visit,
    cart_items,
    cart_of,
    count_offers,
    fill_cart,
    is_coming,
    is_open,
    known_customer,
    offers_for,
    open_cart,
    sale_for,
)

from .guest import Owner, new_owner, owner, set_guest_secret
from .products import found_by, kinds
from .showing import NONE, Mistakes, mistakes, show, status_of

AT_ONCE = 300  # offers on one page
FIELD = "items/"  # of a quantity; the rest of its name is the item
WAS = "was"  # what the fields of quantities held when the page was shown
MEMBER = "member"  # filled in on pages that were shown to somebody who was logged in
_PAGE = "page/"  # of a button that leads to another page of the sale; the rest of its value is the number
_LONGEST_SEARCH = 200  # characters
_LONGEST = 20  # characters of a quantity, which nobody needs


@dataclass(frozen=True, kw_only=True)
class Shelf:
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
        shelf = _shelf(tx, visit)
    return _page(visit, shelf, {item: str(pieces) for item, pieces in shelf.in_cart.items()})


def save_cart(visit: Visit) -> Response:
    """Sets the quantities that were changed on the page, and leaves the others as they are by now: the same cart may be
    open in another tab. Then shows the cart, or what is searched for, or another page of the sale.

    Comes from the sale's page and from the cart's own.
    """
    session_id = visit.path["session"]
    form = visit.form.items()
    typed = {name.removeprefix(FIELD): value[:_LONGEST] for name, value in form if name.startswith(FIELD)}
    before = quantities_shown(visit.form.get(WAS, ""))
    who, secret = new_owner(visit, session_id)
    try:
        sent = {item: pieces for item, pieces in quantities(typed).items() if pieces != before.get(item, 0)}
        saved = visit.instance.store.transact(lambda tx: _save(tx, visit, who, sent))
    except Invalid as error:
        with visit.read() as tx:
            shelf = _shelf(tx, visit, list(typed))  # the page they come from
        wrong = mistakes(visit, error, lambda name: name.startswith(FIELD))
        return _page(visit, shelf, typed, wrong, status_of(error))
    onward = f"/sales/{session_id}{_onward(visit) if saved else ''}"
    if visit.actor.person_id is None and visit.form.get(MEMBER):  # they were logged in when the page was shown
        onward = f"/login?next={quote(onward)}&lost=1"
    return set_guest_secret(visit.redirect(onward), visit, secret)


def _onward(visit: Visit) -> str:
    """The rest of the address that comes after saving."""
    then, sought = visit.form.get("then", ""), visit.form.get("q", "").strip()[:_LONGEST_SEARCH]
    if then == "checkout":
        return "/checkout"
    page = then.removeprefix(_PAGE) if then.startswith(_PAGE) else ""
    if then == "search" and sought == visit.form.get("sought", ""):
        page = visit.form.get("at", "")  # Enter in any field presses the first button: they stay where they are
    if page or then == "search" or sought != visit.form.get("sought", ""):
        asked = {name: value for name, value in (("page", page), ("q", sought)) if value}
        return f"?{urlencode(asked)}" if asked else ""
    return "/cart"


def offered(tx: Transaction, visit: Visit, sale: Sale, item_ids: list[str] | None = None) -> list[VisibleOffer]:
    """What the sale offers this visitor, at their prices."""
    return offers_for(tx, sale.session.id, _categories(tx, visit, sale), item_ids=item_ids)


def _categories(tx: Transaction, visit: Visit, sale: Sale) -> Collection[str]:
    return known_customer(tx, sale.shop.id, visit.actor.person_id).category_ids


def _shelf(tx: Transaction, visit: Visit, item_ids: list[str] | None = None) -> Shelf:
    """The page of the sale that the visitor asks for, or these items of it."""
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    cart = cart_of(tx, sale.session.id, **owner(visit, sale.session.id))
    shelf = Shelf(sale=sale, now=tx.now, offers=[], in_cart=cart_items(tx, cart) if cart else {})
    if not shelf.open and not is_coming(sale.session, tx.now):
        return shelf
    if item_ids is not None:
        return replace(shelf, offers=offered(tx, visit, sale, item_ids))
    if sought := _sought(visit):  # in names and kinds, which the database does not know in every language
        found = found_by(offered(tx, visit, sale), sought)
        page, pages = _page_of(visit, len(found))
        return replace(shelf, offers=found[(page - 1) * AT_ONCE : page * AT_ONCE], page=page, pages=pages)
    categories = _categories(tx, visit, sale)
    if "page" not in visit.query:
        offers = offers_for(tx, sale.session.id, categories, limit=AT_ONCE + 1)
        if len(offers) <= AT_ONCE:  # all there are, at most sales: nobody need count them
            return replace(shelf, offers=offers)
        _, pages = _page_of(visit, count_offers(tx, sale.session.id, categories))
        return replace(shelf, offers=offers[:AT_ONCE], pages=pages)
    page, pages = _page_of(visit, count_offers(tx, sale.session.id, categories))
    offers = offers_for(tx, sale.session.id, categories, skip=(page - 1) * AT_ONCE, limit=AT_ONCE)
    return replace(shelf, offers=offers, page=page, pages=pages)


def _sought(visit: Visit) -> str:
    return (visit.query.get("q") or visit.form.get("q", "")).strip()[:_LONGEST_SEARCH]


def _page_of(visit: Visit, count: int) -> tuple[int, int]:
    """The page that is asked for, or the nearest there is, and how many there are of so many offers."""
    pages = max(1, -(-count // AT_ONCE))
    number = visit.query.get("page", "1")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    return min(wanted, pages) or 1, pages


def _page(visit: Visit, shelf: Shelf, wanted: Mapping[str, str], wrong: Mistakes = NONE, status: int = 200) -> Response:
    against = {name.removeprefix(FIELD): said for name, said in wrong.fields.items()}
    session, shop = shelf.sale.session, shelf.sale.shop
    seen = {"open": shelf.open, "closes_at": session.closes_at, "currency": shop.currency, "zone": shop.timezone}
    seen |= {"lang": shop.language if shop.language != visit.language else ""}
    in_cart = sum(shelf.in_cart.values())
    return show(
        visit,
        "sale",
        status=status,
        basket=in_cart if shelf.open else None,
        sale=shelf.sale,
        open=shelf.open,
        coming=is_coming(shelf.sale.session, shelf.now),
        kinds=kinds(shelf.offers, wanted, against, now=shelf.now, language=visit.language),
        cards=visit.pieces("shop/product.html", "product", **seen),
        names={f"{FIELD}{one.item_id}": one.name for one in shelf.offers},
        in_cart=in_cart,
        was=shown_quantities(shelf.in_cart),
        sought=_sought(visit),
        page=shelf.page,
        pages=shelf.pages,
        mistakes=wrong,
    )


def _save(tx: Transaction, visit: Visit, who: Owner, sent: Mapping[str, int]) -> bool:
    """False where the sale is not open."""
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    if not is_open(sale.session, tx.now):
        return False
    known = {one.item_id for one in offered(tx, visit, sale, list(sent))}
    cart = cart_of(tx, sale.session.id, **who, lock=True)
    before = cart_items(tx, cart) if cart else {}
    items = {**before, **{item: pieces for item, pieces in sent.items() if item in known or item in before}}
    if cart is None and not any(items.values()):
        return True  # nobody who only looks leaves a row
    cart = cart or open_cart(tx, sale.session.id, language=visit.language, **who)
    fill_cart(tx, cart, items)
    return True


def shown_quantities(items: Mapping[str, int]) -> str:
    """What lies in the cart, for a hidden field of the form: ``item:2 other:1``."""
    return " ".join(f"{item}:{pieces}" for item, pieces in items.items())


def quantities_shown(field: str) -> dict[str, int]:
    """The pieces by item that stood in the form's fields when its page was shown."""
    pairs = (one.rpartition(":") for one in field.split())
    return {item: int(pieces) for item, _, pieces in pairs if _is_number(pieces)}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def quantities(typed: Mapping[str, str]) -> dict[str, int]:
    """Pieces by item; an empty field is none of it. Raises `Invalid` naming every field that is no number."""
    problems, read = [], {}
    for item, value in typed.items():
        plain = value.strip() or "0"
        if _is_number(plain):
            read[item] = int(plain)
        else:
            text = "{text} is no number of pieces."
            problems.append(Problem("not_a_number", text, f"/{FIELD}{item}", {"text": plain[:20]}))
    if problems:
        raise Invalid(problems)
    return read
