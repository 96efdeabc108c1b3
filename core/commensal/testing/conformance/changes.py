"""Checks what a plugin adds to pages of others, and that it bears every change of an order, whoever makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ...base.errors import Refused
from ...base.languages.catalogs import LANGUAGES
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.values import PagePart
from ...orders.values import Order
from ...people.actor import ROLES
from ..shop import Shop
from .check import Subject, check, demand
from .prices import first_choices
from .shipping import ADDRESS

_OFFICE = (
    "week",
    "begin",
    "settings",
    "money",
    "close",
    "bring",
    "sale",
    "order",
    "customer",
    "product",
    "products",
    "suppliers",
    "receive",
)
_WITH_ROWS = ("products", "shop/sale", "shop/product")  # of products
_SHOP = ("shop/hub", "shop/sale", "shop/product", "shop/cart", "shop/checkout", "shop/order", "shop/account")


@check("page_parts")
def its_parts_say_something_where_they_stand(subject: Subject) -> None:
    """With a title on a page, or on the row of a product of this page; in each language."""
    with subject.shop() as shop:
        order = shop.order(person=shop.somebody(), **first_choices(shop))
        for page in (*_OFFICE, *_SHOP):
            for language in LANGUAGES:
                products = [line.product_id for line in order.lines] if page in _WITH_ROWS else []
                for part in _parts(shop, page, order, products, language):
                    titled = part.title.strip() or part.subject or not part.lines
                    demand(titled, f"{page}: a part has no title for readers of {language!r}")
                    demand(part.subject in ("", *products), f"{page}: there is no product {part.subject!r} on it")
                    demand(all(line.text.strip() for line in part.lines), f"{page}: a line of {part.title!r} is empty")


@check("page_parts", "office_pages", "order_links", "order_fields", "product_fields", "customer_fields")
def pages_of_others_stand_with_it(subject: Subject) -> None:
    """The pages of the plugins beside it, `together_with`, are shown, and it does not fail on them."""
    with subject.shop() as shop:
        order = shop.order(person=shop.somebody(), **first_choices(shop))
        for answer in _pages(subject, shop, order):
            where = answer.url.path
            demand(answer.status_code < 400, f"{where} was answered {answer.status_code}")
        failures = [f"{failure.hook}: {failure.what}" for failure in shop.instance.hooks.failures]
        demand(not failures, f"it failed on pages of others: {'; '.join(failures)}")


@check("order_changing", "order_problems", "price_adjustments", "settle_adjustments", "book_shipping")
def it_bears_every_change_of_an_order(subject: Subject) -> None:
    """By its customer, by the hub, at the scales, to another address: it goes through, or is refused with a reason."""
    moved = replace(ADDRESS, street="2 rue Nationale")
    with subject.shop() as shop:
        shop.order({"carrots": 4, "chicken": 1}, person=shop.somebody(), **first_choices(shop))
        changes: dict[str, Callable[[], object]] = {
            "its customer takes more": lambda: shop.change({"carrots": 6, "chicken": 1}),
            "the hub takes more": lambda: shop.change({"carrots": 9, "chicken": 2}, by_hub=True),
            "the hub takes nearly all out": lambda: shop.change({"chicken": 1}, by_hub=True),
            "it is weighed": lambda: shop.weigh({"chicken": "1.7"}),
            "the hub moves it": lambda: shop.change(address=moved, by_hub=True),
            "its customer collects it": lambda: shop.change(shipping="", address=ADDRESS),
        }
        for name, change in changes.items():
            before = shop.see()
            try:
                change()
            except Refused as refused:
                demand(str(refused).strip(), f"{name}: it refuses without a reason")
                demand(shop.see() == before, f"{name}: it is refused, and all the same something has changed")


def _parts(shop: Shop, page: str, order: Order, products: list[str], language: str) -> Iterator[PagePart]:
    ids = {"sale": shop.session_id, "order": order.id, "customer": order.customer_id or "", "shop/hub": shop.id}
    ids |= {
        **dict.fromkeys(("suppliers", "receive"), shop.session_id),
        **dict.fromkeys(("product", "shop/product"), order.lines[0].product_id),
        "shop/account": order.customer_id or "",
    }
    ids |= {"shop/order": order.id, **dict.fromkeys(("shop/sale", "shop/cart", "shop/checkout"), shop.session_id)}
    draft = shop.quote().draft if page in ("shop/cart", "shop/checkout") else None
    with shop.instance.store.read() as tx:
        scopes = ROLES["owner"] | tx.own_scopes.by_name.keys() if page in _OFFICE else frozenset()
        answers = shop.instance.hooks.each(
            specifications.page_parts,
            enabled_plugins(tx, shop.id),
            tx=tx,
            page=page,
            enterprise_id=shop.id,
            scopes=scopes,
            language=language,
            subject=ids.get(page, ""),
            subjects=products,
            order=draft,
            person_id=order.person_id,
        )
    for answer in answers:
        yield from answer.value or ()


def _pages(subject: Subject, shop: Shop, order: Order) -> Iterator[Any]:
    if "shop" in subject.plan.plugins:
        yield shop.page(f"/hubs/{shop.id}")
        yield shop.page(f"/sales/{shop.session_id}")
    if "office" in subject.plan.plugins:
        customer = [f"/customers/{order.customer_id}"] if order.customer_id else []
        product, sale = f"/products/{order.lines[0].product_id}", f"/sale/{shop.session_id}"
        for path in ("", "/settings", "/money", f"/orders/{order.id}", "/products", product, sale, *customer):
            yield shop.office(path)
