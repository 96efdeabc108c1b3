"""The owner of a cart: a person, or a guest with a secret in a cookie of the browser.

All other secrets are derived from the browser's secret: one for the cart of each sale, one for each order. So a guest
may shop at several sales, a link to an order opens that order only, and sending a cart twice leads to the same order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import TypedDict

from starlette.responses import Response

from commensal import Transaction, fingerprint, sales
from commensal.orders import cart_items, carts_by_secret, empty_cart, fill_cart, open_cart
from commensal.pages import Visit

_COOKIE = "cart"
_MERGED = "merged"
_MOST_NOTED = 20  # carts
_DAYS = 60
_LENGTH = 43  # characters: 256 bits
_MOST_SALES = 200  # that are looked through for carts when a guest logs in


class CartOwner(TypedDict):
    """The arguments by which the core finds a cart."""

    person_id: str | None
    secret_hash: str | None


def cart_owner(visit: Visit, session_id: str) -> CartOwner:
    """The owner of the visitor's cart at this sale; both fields are None for a guest without a cookie."""
    return _cart_owner(visit.actor.person_id, guest_secret(visit), session_id)


def new_owner(visit: Visit, session_id: str) -> tuple[CartOwner, str | None]:
    """The same, with a new secret for a guest without one. Set the returned secret by `set_guest_secret`."""
    if visit.actor.person_id is not None:
        return _cart_owner(visit.actor.person_id, None, session_id), None
    secret = guest_secret(visit) or visit.instance.ids.secret()
    return _cart_owner(None, secret, session_id), secret


def order_secret(visit: Visit, cart_id: str) -> str | None:
    """The secret of the order that is placed from this guest's cart; None for persons, and guests without a cookie."""
    secret = guest_secret(visit)
    return None if visit.actor.person_id is not None or secret is None else _derive(secret, f"order {cart_id}")


def guest_secret(visit: Visit) -> str | None:
    secret = visit.cookie(_COOKIE)
    return secret if len(secret) == _LENGTH and secret.isascii() else None


def set_guest_secret(response: Response, visit: Visit, secret: str | None) -> Response:
    if secret is not None:
        visit.set_cookie(response, _COOKIE, secret, days=_DAYS)
    return response


def merge_guest_carts(tx: Transaction, visit: Visit, person_id: str) -> list[str]:
    """Moves the items of the guest's carts into those of the person, who has logged in. The guest's quantities win.
    Returns the ids of the person's carts that have got some: a guest may have been somebody else."""
    secret = guest_secret(visit)
    if secret is None:
        return []
    merged = []
    session_ids = (sale.session.id for sale in sales(tx, openness="open", limit=_MOST_SALES))
    hashes = [_cart_hash(secret, session_id) for session_id in session_ids]
    for session_id, cart_id in carts_by_secret(tx, hashes).items():
        cart = open_cart(tx, session_id, language=visit.language, person_id=person_id)
        items = cart_items(tx, cart_id)
        fill_cart(tx, cart, {**cart_items(tx, cart), **items})
        empty_cart(tx, cart_id)
        if items:
            merged.append(cart)
    return merged


def note_merged(response: Response, visit: Visit, cart_ids: Sequence[str]) -> None:
    """Notes in the browser what its guest has left in these carts of who has logged in, instead of any earlier ones."""
    if cart_ids or visit.cookie(_MERGED):
        visit.set_cookie(response, _MERGED, ".".join(cart_ids[:_MOST_NOTED]), days=1 if cart_ids else 0)


def has_merged(visit: Visit, cart_id: str | None) -> bool:
    """Whether this cart of a person has goods that the browser's guest had chosen."""
    return visit.actor.person_id is not None and cart_id in visit.cookie(_MERGED).split(".")


def _cart_owner(person_id: str | None, secret: str | None, session_id: str) -> CartOwner:
    secret_hash = _cart_hash(secret, session_id) if secret and person_id is None else None
    return CartOwner(person_id=person_id, secret_hash=secret_hash)


def _cart_hash(secret: str, session_id: str) -> str:
    return fingerprint(_derive(secret, f"cart {session_id}"))


def _derive(secret: str, purpose: str) -> str:
    digest = hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
