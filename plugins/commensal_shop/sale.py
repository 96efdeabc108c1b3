"""The page of a sale: its offers on shelves, filters, and a form that saves the cart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from starlette.responses import Response

from commensal import Invalid, NotFound, PagePart, Sale, Transaction, plural, read_whole, sales, translate
from commensal.enterprises import has_terms
from commensal.pages import UnchangedReads, Visit, parts_beside, status_of
from commensal.sale_sessions import VisibleOffer, count_offers, is_coming, is_open, offers_for

from .browsing import (
    NO_OPTIONS,
    FilterOptions,
    Filters,
    Maker,
    favourites_of,
    filter_options,
    makers_of,
    read_filters,
    select_offers,
    shelf_labels,
    shelves_of_names,
)
from .cart import JoinableOrder, ShownCart, categories_of, joinable_order, load_cart, visible_offers
from .dock import dock_of, render_dock
from .products import ProductGroup, group_by_shelf
from .quantities import FIELD, format_quantities
from .settings import DEFAULTS, Settings, settings_of
from .showing import NONE, Mistakes, mistakes, show

AT_ONCE = 300  # offers on one page
_COUNTED_DOWN = timedelta(days=1)  # the script of the page counts down the last day
MEMBER = "member"  # the field that is filled if the visitor was logged in when the page was shown
SOUGHT = "sought"  # the field with the filters of the page as it is shown
AT = "at"  # the field with the number of the page that is shown
# Prefixes of the values of buttons that lead to other pages of the sale, and the button that ends all filters.
PAGE, SHELF, ONLY, ALL = "page/", "shelf/", "only/", "all"


@dataclass(frozen=True, kw_only=True)
class SaleView:
    """A sale as this visitor sees it.

    cart:    what the visitor has in the basket
    offers:  of one page, which meet the filters
    options: what the fields of filters offer
    makers:  the producers of the offers, by id
    look:    what the shop has chosen for its pages
    joined:  an order of the visitor which what they take can join
    next_sale: of the same shop, if this one is over
    starred: the lots that the visitor has marked; None: of a guest, who cannot
    """

    sale: Sale
    now: datetime
    cart: ShownCart
    filters: Filters
    offers: Sequence[VisibleOffer] = ()
    options: FilterOptions = NO_OPTIONS
    makers: Mapping[str, Maker] = field(default_factory=dict)
    look: Settings = DEFAULTS
    has_terms: bool = False
    joined: JoinableOrder | None = None
    next_sale: Sale | None = None
    starred: frozenset[str] | None = None
    page: int = 1
    pages: int = 1

    @property
    def open(self) -> bool:
        return is_open(self.sale.session, self.now)

    @property
    def left(self) -> timedelta:
        """The time until it closes; negative afterwards."""
        return self.sale.session.closes_at - self.now

    @property
    def coming(self) -> bool:
        return is_coming(self.sale.session, self.now)


@dataclass(frozen=True, kw_only=True)
class _GoodsPage:
    """A page of all offers, the same for everybody of the same customer categories who reads the same language."""

    offers: Sequence[VisibleOffer]
    makers: Mapping[str, Maker]
    options: FilterOptions
    page: int
    pages: int


def sale_page(visit: Visit) -> Response:
    unchanged = visit.unchanged_reads()
    with visit.read() as tx:
        view = _load_view(tx, visit, unchanged=unchanged)
    return _page(visit, view, {item: str(pieces) for item, pieces in view.cart.items.items()})


def product_page(visit: Visit) -> Response:
    """The page of one product of a sale, with all its sizes; its address has one of them. Raises `NotFound` for what
    this visitor is not offered; a sale that is over has its own page alone."""
    with visit.read() as tx:
        view = _load_view(tx, visit, size=visit.path["item"])
    if not view.open and not view.coming:
        return visit.redirect(f"/sales/{view.sale.session.id}")
    if not view.offers:
        raise NotFound
    return _page(visit, view, {item: str(pieces) for item, pieces in view.cart.items.items()}, alone=view.offers[0])


def show_refused(visit: Visit, typed: Mapping[str, str], error: Invalid) -> Response:
    """The page with the products whose quantities were typed, to correct those that are wrong."""
    with visit.read() as tx:
        view = _load_view(tx, visit, list(typed))
    errors = mistakes(visit, error, lambda name: name.startswith(FIELD))
    return _page(visit, view, typed, errors, status_of(error))


def _load_view(
    tx: Transaction,
    visit: Visit,
    item_ids: list[str] | None = None,
    *,
    size: str = "",
    unchanged: UnchangedReads | None = None,
) -> SaleView:
    """Loads the page of the sale that the visitor asks for, or only these items, or all sizes of the product of one."""
    view = _load_offers(tx, visit, item_ids, size, unchanged)
    shop_id = view.sale.shop.id
    person_id = visit.actor.person_id
    return replace(
        view,
        makers=view.makers or makers_of(tx, view.offers, shop_id),
        look=settings_of(tx, visit, shop_id),
        has_terms=has_terms(tx, shop_id),
        starred=None if person_id is None else favourites_of(tx, person_id),
    )


def _load_offers(
    tx: Transaction, visit: Visit, item_ids: list[str] | None, size: str, unchanged: UnchangedReads | None
) -> SaleView:
    cart = load_cart(tx, visit)
    view = SaleView(sale=cart.sale, now=tx.now, cart=cart, filters=read_filters({**visit.form, **visit.query}))
    if not view.open and not view.coming:
        return replace(view, next_sale=_next_sale(tx, view.sale))
    view = replace(view, joined=joinable_order(tx, visit, view.sale.session.id) if view.open else None)
    if item_ids is not None:
        return replace(view, offers=visible_offers(tx, visit, view.sale, item_ids))
    if size:
        offers = visible_offers(tx, visit, view.sale)
        lots = {offer.lot_id for offer in offers if offer.item_id == size}
        return replace(view, filters=Filters(), offers=[offer for offer in offers if offer.lot_id in lots])
    if view.filters:  # names, types and labels are searched in words, which the database does not have in each language
        offers = visible_offers(tx, visit, view.sale)
        matches = select_offers(
            tx, offers, view.filters, session_id=view.sale.session.id, person_id=visit.actor.person_id
        )
        page, pages = _page_of(visit, len(matches))
        shown = matches[(page - 1) * AT_ONCE : page * AT_ONCE]
        return replace(view, offers=shown, page=page, pages=pages, options=filter_options(offers, visit.language))
    categories = tuple(sorted(categories_of(tx, visit, view.sale)))
    key = ("sale", view.sale.session.id, categories, visit.query.get("page"), visit.language)
    goods = (
        _read_goods(tx, visit, view.sale, categories)
        if unchanged is None
        else unchanged.get(key, lambda: _read_goods(tx, visit, view.sale, categories))
    )
    return replace(
        view, offers=goods.offers, makers=goods.makers, options=goods.options, page=goods.page, pages=goods.pages
    )


def _next_sale(tx: Transaction, sale: Sale) -> Sale | None:
    """The sale of the same shop that is open, or else opens first."""
    others = sales(tx, openness="both", shop_id=sale.shop.id)
    return min(others, key=lambda other: (not is_open(other.session, tx.now), other.session.opens_at), default=None)


def _read_goods(tx: Transaction, visit: Visit, sale: Sale, categories: Sequence[str]) -> _GoodsPage:
    """Reads a page of all offers. The first one needs no count if it has them all, as at most sales."""
    session_id = sale.session.id
    page, pages = 1, 1
    if "page" in visit.query:
        page, pages = _page_of(visit, count_offers(tx, session_id, categories))
    offers = offers_for(tx, session_id, categories, skip=(page - 1) * AT_ONCE, limit=AT_ONCE + 1)
    if pages == 1 and len(offers) > AT_ONCE:
        _, pages = _page_of(visit, count_offers(tx, session_id, categories))
    shown = tuple(offers[:AT_ONCE])
    return _GoodsPage(
        offers=shown,
        makers=makers_of(tx, shown, sale.shop.id),
        options=filter_options(shown, visit.language),
        page=page,
        pages=pages,
    )


def _page_of(visit: Visit, count: int) -> tuple[int, int]:
    """The number of the requested page or the nearest existing one, and the number of pages for `count` offers."""
    pages = max(1, -(-count // AT_ONCE))
    requested = read_whole(visit.query.get("page", ""), 5) or 1
    return min(requested, pages), pages


def _page(
    visit: Visit,
    view: SaleView,
    values: Mapping[str, str],
    errors: Mistakes = NONE,
    status: int = 200,
    alone: VisibleOffer | None = None,
) -> Response:
    """`alone` is an offer of the product that the page is about; None: it is about the sale."""
    session, shop = view.sale.session, view.sale.shop
    product_ids = list(dict.fromkeys(offer.product_id for offer in view.offers))
    name, subject = ("shop/product", alone.product_id) if alone else ("shop/sale", session.id)
    parts = parts_beside(visit, name, shop.id, subject=subject, subjects=product_ids)
    context = {"open": view.open, "closes_at": session.closes_at, "currency": shop.currency, "zone": shop.timezone}
    context |= {"goods": "" if alone else f"/sales/{session.id}/items/"}
    context |= {"lang": shop.language if shop.language != visit.language else ""}
    shelves = _shelves(visit, view, values, errors, [part for part in parts if part.subject], folds=alone is None)
    return show(
        visit,
        "sale",
        status=status,
        public=view.sale.shop.visibility == "public",
        basket=sum(view.cart.items.values()) if view.open else None,
        sale=view.sale,
        view=view,
        accent=view.look.accent,
        remaining=remaining_time(view.left, visit.language),
        minutes_left=int(view.left.total_seconds()) // 60 if view.left < _COUNTED_DOWN else None,
        shelves=shelves,
        drawn=dict.fromkeys(name for shelf in shelves for name in shelf.drawings),
        added_parts=[part for part in parts if not part.subject],
        cards=visit.pieces("shop/product.html", "product", **context),
        alone=alone,
        all_shelves=shelf_labels(visit.language),
        joined=view.joined,
        next_sale=view.next_sale,
        next_is_open=view.next_sale is not None and is_open(view.next_sale.session, view.now),
        dock=render_dock(visit, dock_of(visit, view.cart, joins=view.joined is not None)),
        names={f"{FIELD}{offer.item_id}": offer.name for offer in view.offers} if errors else {},
        was=format_quantities(view.cart.items),
        mistakes=errors,
    )


def _shelves(
    visit: Visit, view: SaleView, values: Mapping[str, str], errors: Mistakes, added: Sequence[PagePart], *, folds: bool
) -> Sequence[ProductGroup]:
    """The offers of the page by shelf, with what was typed; filtered shelves do not fold."""
    return group_by_shelf(
        view.offers,
        values,
        {name.removeprefix(FIELD): message for name, message in errors.fields.items()},
        now=view.now,
        language=visit.language,
        own=view.sale.shop.language,
        declared=visit.instance.store.plugin_fields.products,
        makers=view.makers,
        order=(*shelves_of_names(view.offers, view.filters.words), *view.look.shelves),
        added=added,
        starred=view.starred,
        folds=folds and not view.filters,
    )


def remaining_time(left: timedelta, language: str) -> str:
    """The two largest units of a duration, rounded down: 2 d 13 h, 3 days, 5 h 20 min; "" if nothing is left."""
    minutes = int(left.total_seconds()) // 60
    if minutes < 0:
        return ""
    hours, days = minutes // 60, minutes // 1440
    if days and not hours % 24:
        return plural(language, "{number} day", "{number} days", days).format(number=days)
    if days:
        return translate(language, "{days} d {hours} h").format(days=days, hours=hours % 24)
    if hours:
        return translate(language, "{hours} h {minutes} min").format(hours=hours, minutes=minutes % 60)
    return translate(language, "{minutes} min").format(minutes=minutes)
