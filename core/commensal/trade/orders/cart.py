"""The cart: a draft order with wishes but without prices. It reserves nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta

from sqlalchemy import bindparam, delete, select, update

from ...base.errors import Invalid, Problem
from ...storage.database import Transaction, insert_or, insert_rows
from ..catalogs.tables import catalog, catalog_item
from ..enterprises.tables import enterprise
from ..pricing.values import Address
from ..sale_sessions.tables import sale_session
from .lines import refuse_quantities
from .lock import hold_order
from .tables import cart_line, customer_order

CART_STAYS = timedelta(days=7)
_AT_ONCE = 10_000  # carts that are deleted in one transaction


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What somebody has typed and chosen at the checkout of a cart. Nothing of it is checked, or proved."""

    name: str = ""
    email: str = ""
    phone: str = ""
    note: str = ""
    shipping: str = ""
    payment_method: str = ""
    codes: tuple[str, ...] = ()
    address: Address | None = None


_CHECKOUT = [customer_order.c[one.name] for one in fields(Checkout)]
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
    """The id of this shopper's cart at the session, if there is one. A guest's is found by its secret.

    With `lock` nobody else places an order from it until this transaction ends; whoever waited for that finds none.
    """
    if person_id is None and secret_hash is None:
        return None
    found = _OF_PERSON if person_id else _OF_GUEST
    mine = {"session": session_id, **({"person": person_id} if person_id else {"secret": secret_hash})}
    return tx.value(found.with_for_update() if lock else found, mine)  # type: ignore[no-any-return]


def open_cart(
    tx: Transaction, session_id: str, *, language: str, person_id: str | None = None, secret_hash: str | None = None
) -> str:
    """The shopper's cart at the session, made if there is none. Returns its id."""
    found = cart_of(tx, session_id, person_id=person_id, secret_hash=secret_hash)
    if found is not None:
        return found
    shop = tx.one(
        select(enterprise.c.id, enterprise.c.currency, enterprise.c.prices_include_vat)
        .join(sale_session, sale_session.c.enterprise_id == enterprise.c.id)
        .where(sale_session.c.id == session_id)
    )
    order_id = tx.new_id()
    empty = dict.fromkeys(("name", "email", "phone", "note", "shipping", "shipping_label", "payment_method"), "")
    nothing = dict.fromkeys(("products_total", "deposits_total", "adjustments_total", "vat_total", "total"), 0)
    made = tx.execute(
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
            **empty,
            **nothing,
        )
        .on_conflict_do_nothing()
    )
    if made.rowcount == 1:
        return order_id
    found = cart_of(tx, session_id, person_id=person_id, secret_hash=secret_hash)  # opened at the same moment
    assert found is not None, "a guest's secret opens one order only"
    return found


def carts_by_secret(tx: Transaction, secret_hashes: Collection[str]) -> dict[str, str]:
    """The carts of a guest that these secrets open: their ids by session."""
    row = customer_order.c
    found = select(row.session_id, row.id).where(row.state == "Draft", row.secret_hash.in_(sorted(secret_hashes)))
    return {one["session_id"]: one["id"] for one in tx.all(found)}


def cart_items(tx: Transaction, order_id: str) -> dict[str, int]:
    """Pieces by catalog item."""
    lines = select(cart_line).where(cart_line.c.order_id == order_id).order_by(cart_line.c.item_id)
    return {row["item_id"]: row["quantity"] for row in tx.all(lines)}


def fill_cart(tx: Transaction, order_id: str, items: Mapping[str, int]) -> None:
    """Sets the whole cart to these pieces by catalog item; zero leaves an item out.

    Raises `Invalid` naming every quantity that cannot be, and every item that is in no catalog of the cart's shop.
    Whether items are (still) on sale is said when the cart is looked at: a cart keeps what its owner put into it.
    """
    wanted = {item: quantity for item, quantity in items.items() if quantity}
    refuse_quantities(wanted)
    _refuse_unlisted(tx, order_id, wanted)
    hold_order(tx, order_id)
    tx.execute(delete(cart_line).where(cart_line.c.order_id == order_id))
    insert_rows(tx, cart_line, [{"order_id": order_id, "item_id": i, "quantity": q} for i, q in wanted.items()])


def note_checkout(tx: Transaction, order_id: str, noted: Checkout) -> None:
    """Keeps in the cart what its owner has typed at the checkout, so that it stands there when they come back."""
    row = customer_order.c
    values = {**asdict(noted), "codes": list(noted.codes)}
    tx.execute(update(customer_order).where(row.id == order_id, row.state == "Draft").values(values))


def noted_checkout(tx: Transaction, order_id: str) -> Checkout:
    """What was typed at the checkout so far. Raises `NotFound`."""
    row = tx.one(select(*_CHECKOUT).where(customer_order.c.id == order_id, customer_order.c.state == "Draft"))
    address = Address(**row["address"]) if row["address"] else None
    return Checkout(**{**row, "address": address, "codes": tuple(row["codes"])})


def forget_carts(tx: Transaction) -> int:
    """Deletes carts of sales that closed a week ago: nothing can be ordered from them. Returns how many."""
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
    listed = select(catalog_item.c.id).join(catalog, catalog.c.id == catalog_item.c.catalog_id)
    known = {row["id"] for row in tx.all(listed.where(of_shop, catalog_item.c.id.in_(sorted(items))))}
    text = "This product is not on sale here (any more)."
    problems = [Problem("not_on_sale", text, f"/items/{one}") for one in items if one not in known]
    if problems:
        raise Invalid(problems)


def empty_cart(tx: Transaction, order_id: str) -> bool:
    """The cart is gone with its lines: its order is placed, or its owner gave it up. Returns whether it was there."""
    return tx.change(_EMPTY, {"cart": order_id}) == 1
