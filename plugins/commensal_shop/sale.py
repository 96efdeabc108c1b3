"""The page of a sale: what is on offer, and one form that saves the cart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

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


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A sale as this visitor sees it."""

    sale: Sale
    now: datetime
    offers: list[VisibleOffer]
    in_cart: Mapping[str, int]

    @property
    def open(self) -> bool:
        return is_open(self.sale.session, self.now)


def sale_page(visit: Visit) -> Response:
    with visit.read() as tx:
        shelf = _shelf(tx, visit)
    return _page(visit, shelf, {item: str(pieces) for item, pieces in shelf.in_cart.items()})


def save_cart(visit: Visit) -> Response:
    """Sets the quantities that were sent; what lies in the cart and was not on that page stays.

    Comes from the sale's page and from the cart's own.
    """
    session_id = visit.path["session"]
    typed = {name.removeprefix(FIELD): value for name, value in visit.form.items() if name.startswith(FIELD)}
    who, secret = new_owner(visit, session_id)
    try:
        sent = quantities(typed)
        saved = visit.instance.store.transact(lambda tx: _save(tx, visit, who, sent))
    except Invalid as error:
        with visit.read() as tx:
            shelf = _shelf(tx, visit)
        shelf = replace(shelf, offers=[one for one in shelf.offers if one.item_id in typed])  # the page they come from
        wrong = mistakes(visit, error, lambda name: name.startswith(FIELD))
        return _page(visit, shelf, typed, wrong, status_of(error))
    if not saved:
        return visit.redirect(f"/sales/{session_id}")
    to = "checkout" if visit.form.get("then") == "checkout" else "cart"
    return set_guest_secret(visit.redirect(f"/sales/{session_id}/{to}"), visit, secret)


def offered(tx: Transaction, visit: Visit, sale: Sale, item_ids: list[str] | None = None) -> list[VisibleOffer]:
    """What the sale offers this visitor, at their prices."""
    known = known_customer(tx, sale.shop.id, visit.actor.person_id)
    return offers_for(tx, sale.session.id, known.category_ids, item_ids=item_ids)


def _shelf(tx: Transaction, visit: Visit) -> Shelf:
    sale = sale_for(tx, visit.path["session"], visit.actor.person_id)
    seen = is_open(sale.session, tx.now) or is_coming(sale.session, tx.now)
    cart = cart_of(tx, sale.session.id, **owner(visit, sale.session.id))
    return Shelf(
        sale=sale,
        now=tx.now,
        offers=offered(tx, visit, sale) if seen else [],
        in_cart=cart_items(tx, cart) if cart else {},
    )


def _page(visit: Visit, shelf: Shelf, wanted: Mapping[str, str], wrong: Mistakes = NONE, status: int = 200) -> Response:
    sought = visit.query.get("q", "").strip()
    found = found_by(shelf.offers, sought) if sought else shelf.offers
    pages = max(1, -(-len(found) // AT_ONCE))
    number = visit.query.get("page", "1")
    page = min(int(number), pages) if number.isascii() and number.isdigit() and len(number) < 6 and int(number) else 1
    return show(
        visit,
        "sale",
        status=status,
        sale=shelf.sale,
        open=shelf.open,
        coming=is_coming(shelf.sale.session, shelf.now),
        kinds=kinds(
            found[(page - 1) * AT_ONCE : page * AT_ONCE],
            wanted,
            now=shelf.now,
            language=visit.language,
        ),
        names={f"{FIELD}{one.item_id}": one.name for one in shelf.offers},
        in_cart=sum(shelf.in_cart.values()),
        sought=sought,
        page=page,
        pages=pages,
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


def quantities(typed: Mapping[str, str]) -> dict[str, int]:
    """Pieces by item; an empty field is none of it. Raises `Invalid` naming every field that is no number."""
    problems, read = [], {}
    for item, value in typed.items():
        plain = value.strip() or "0"
        if plain.isascii() and plain.isdigit() and len(plain) < 10:
            read[item] = int(plain)
        else:
            text = "{text} is no number of pieces."
            problems.append(Problem("not_a_number", text, f"/{FIELD}{item}", {"text": plain[:20]}))
    if problems:
        raise Invalid(problems)
    return read
