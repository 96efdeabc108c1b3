"""The cart: a draft order with wishes, but without prices. It reserves no stock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta

from sqlalchemy import bindparam, delete, select, update

from ..base.errors import Invalid, Problem
from ..base.plugin_fields import PluginValues
from ..catalogs.tables import catalog, catalog_item
from ..enterprises.tables import enterprise
from ..pricing.values import Address
from ..sale_sessions.tables import sale_session
from ..storage.database import Transaction, insert_or, insert_rows
from .lines import refuse_quantities
from .lock import lock_order
from .tables import cart_line, customer_order

CART_STAYS = timedelta(days=7)
_AT_ONCE = 10_000  # carts that are deleted in one transaction


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What a shopper has typed and chosen at the checkout of a cart. Nothing of it is checked or proven."""

    name: str = ""
    email: str = ""
    phone: str = ""
    note: str = ""
    collector: str = ""
    shipping: str = ""
    payment_method: str = ""
    codes: tuple[str, ...] = ()
    address: Address | None = None
    plugin_fields: PluginValues = field(default_factory=dict)


_CHECKOUT = [customer_order.c[field.name] for field in fields(Checkout)]
_CART = select(customer_order.c.id).where(
    customer_order.c.session_id == bindparam("session"), customer_order.c.state == "Draft"
)
_OF_PERSON = _CART.where(customer_order.c.person_id == bindparam("person"))
_OF_GUEST = _CART.where(customer_order.c.secret_hash == bindparam("secret"))
_EMPTY = delete(customer_order).where(customer_order.c.id == bindparam("cart"), customer_order.c.state == "Draft")


def cart_of(
    tx: Transaction,
    session_id: str,
    *,
    person_id: str | None = None,
    secret_hash: str | None = None,
    lock: bool = False,
) -> str | None:
    """Returns the id of this shopper's cart at the session, or None. A guest's cart is found by its secret.

    With `lock` no other transaction places an order from it until this one ends; one that waited then finds no cart.
    """
    if person_id is None and secret_hash is None:
        return None
    statement = _OF_PERSON if person_id else _OF_GUEST
    parameters = {"session": session_id, **({"person": person_id} if person_id else {"secret": secret_hash})}
    cart_id: str | None = tx.value(statement.with_for_update() if lock else statement, parameters)
    return cart_id


def open_cart(
    tx: Transaction, session_id: str, *, language: str, person_id: str | None = None, secret_hash: str | None = None
) -> str:
    """Returns the id of the shopper's cart at the session, and creates the cart if there is none."""
    cart_id = cart_of(tx, session_id, person_id=person_id, secret_hash=secret_hash)
    if cart_id is not None:
        return cart_id
    shop = tx.one(
        select(enterprise.c.id, enterprise.c.currency, enterprise.c.prices_include_vat)
        .join(sale_session, sale_session.c.enterprise_id == enterprise.c.id)
        .where(sale_session.c.id == session_id)
    )
    order_id = tx.new_id()
    empty_texts = dict.fromkeys(("name", "email", "phone", "note", "shipping", "shipping_label", "payment_method"), "")
    zero_totals = dict.fromkeys(("products_total", "deposits_total", "adjustments_total", "vat_total", "total"), 0)
    inserted = tx.execute(
        insert_or(tx, customer_order)
        .values(
            id=order_id,
            session_id=session_id,
            enterprise_id=shop["id"],
            person_id=person_id,
            secret_hash=None if person_id else secret_hash,
            state="Draft",
            payment_state="Unpaid",
            fulfilment_state="Unfulfilled",
            currency=shop["currency"],
            prices_include_vat=shop["prices_include_vat"],
            language=language,
            created_at=tx.now,
            changed_at=tx.now,
            version=1,
            **empty_texts,
            **zero_totals,
        )
        .on_conflict_do_nothing()
    )
    if inserted.rowcount == 1:
        return order_id
    cart_id = cart_of(tx, session_id, person_id=person_id, secret_hash=secret_hash)  # opened at the same moment
    assert cart_id is not None, "a guest's secret opens one order only"
    return cart_id


def carts_by_secret(tx: Transaction, secret_hashes: Collection[str]) -> dict[str, str]:
    """Returns the carts that these secrets of a guest open: cart id by session id."""
    order = customer_order.c
    statement = select(order.session_id, order.id).where(
        order.state == "Draft", order.secret_hash.in_(sorted(secret_hashes))
    )
    return {row["session_id"]: row["id"] for row in tx.all(statement)}


def cart_items(tx: Transaction, order_id: str) -> dict[str, int]:
    """Returns the pieces in the cart by catalog item."""
    lines = select(cart_line).where(cart_line.c.order_id == order_id).order_by(cart_line.c.item_id)
    return {row["item_id"]: row["quantity"] for row in tx.all(lines)}


def fill_cart(tx: Transaction, order_id: str, items: Mapping[str, int]) -> None:
    """Replaces the content of the cart with these pieces by catalog item; zero leaves an item out.

    Raises `Invalid` naming every impossible quantity, and every item that is in no catalog of the cart's shop. Whether
    items are (still) on sale is decided when the cart is read: a cart keeps what its owner put into it.
    """
    pieces = {item: quantity for item, quantity in items.items() if quantity}
    refuse_quantities(pieces)
    _refuse_unlisted(tx, order_id, pieces)
    lock_order(tx, order_id)
    tx.execute(delete(cart_line).where(cart_line.c.order_id == order_id))
    insert_rows(tx, cart_line, [{"order_id": order_id, "item_id": i, "quantity": q} for i, q in pieces.items()])


def note_checkout(tx: Transaction, order_id: str, checkout: Checkout) -> None:
    """Stores in the cart what its owner has typed at the checkout, so that it is there when they come back."""
    order = customer_order.c
    values = {**asdict(checkout), "codes": list(checkout.codes)}
    tx.execute(update(customer_order).where(order.id == order_id, order.state == "Draft").values(values))


def noted_checkout(tx: Transaction, order_id: str) -> Checkout:
    """Returns what was typed at the checkout so far. Raises `NotFound`."""
    row = tx.one(select(*_CHECKOUT).where(customer_order.c.id == order_id, customer_order.c.state == "Draft"))
    address = Address(**row["address"]) if row["address"] else None
    return Checkout(**{**row, "address": address, "codes": tuple(row["codes"])})


def forget_carts(tx: Transaction) -> int:
    """Deletes carts of sales that closed more than `CART_STAYS` ago, at most `_AT_ONCE`. Returns how many."""
    closed = select(sale_session.c.id).where(sale_session.c.closes_at < tx.now - CART_STAYS)
    old = select(customer_order.c.id).where(customer_order.c.state == "Draft", customer_order.c.session_id.in_(closed))
    return tx.execute(delete(customer_order).where(customer_order.c.id.in_(old.limit(_AT_ONCE)))).rowcount


def _refuse_unlisted(tx: Transaction, order_id: str, items: Collection[str]) -> None:
    if not items:
        return
    of_shop = (
        catalog.c.enterprise_id
        == select(customer_order.c.enterprise_id).where(customer_order.c.id == order_id).scalar_subquery()
    )
    listed_items = select(catalog_item.c.id).join(catalog, catalog.c.id == catalog_item.c.catalog_id)
    listed_ids = {row["id"] for row in tx.all(listed_items.where(of_shop, catalog_item.c.id.in_(sorted(items))))}
    text = "This product is not on sale here (any more)."
    problems = [Problem("not_on_sale", text, f"/items/{item_id}") for item_id in items if item_id not in listed_ids]
    if problems:
        raise Invalid(problems)


def empty_cart(tx: Transaction, order_id: str) -> bool:
    """Deletes the cart with its lines: its order is placed, or its owner gave it up. Returns whether it existed."""
    return tx.change(_EMPTY, {"cart": order_id}) == 1
