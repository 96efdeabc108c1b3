"""Whose cart it is: a person's, or that of a guest, who holds a secret in a cookie of this browser.

From the browser's one secret others are derived: for the cart of each sale, and for each order. So a guest may shop at
several sales, a link to an order opens that order only, and the same cart sent twice leads to the same order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TypedDict

from starlette.responses import Response

from commensal import (
    Transaction,
    Visit,
    cart_items,
    carts_by_secret,
    empty_cart,
    fill_cart,
    fingerprint,
    open_cart,
    sales,
)

_COOKIE = "cart"
_DAYS = 60
_LENGTH = 43  # characters: 256 bits
_MOST_SALES = 200  # that are looked through for carts when a guest logs in


class Owner(TypedDict):
    """How the core finds a cart."""

    person_id: str | None
    secret_hash: str | None


def owner(visit: Visit, session_id: str) -> Owner:
    """Of the cart at this sale; nobody's where a guest has no cookie yet."""
    return _owner(visit.actor.person_id, guest_secret(visit), session_id)


def new_owner(visit: Visit, session_id: str) -> tuple[Owner, str | None]:
    """The same, with a new secret for a guest without one: then it must go into a cookie, by `set_guest_secret`."""
    if visit.actor.person_id is not None:
        return _owner(visit.actor.person_id, None, session_id), None
    secret = guest_secret(visit) or visit.instance.ids.secret()
    return _owner(None, secret, session_id), secret


def order_secret(visit: Visit, cart_id: str) -> str | None:
    """The secret that opens the order which this guest's cart becomes; None for who is logged in, or has no cookie."""
    secret = guest_secret(visit)
    return None if visit.actor.person_id is not None or secret is None else _derived(secret, f"order {cart_id}")


def guest_secret(visit: Visit) -> str | None:
    secret = visit.cookie(_COOKIE)
    return secret if len(secret) == _LENGTH and secret.isascii() else None


def set_guest_secret(response: Response, visit: Visit, secret: str | None) -> Response:
    if secret is not None:
        visit.set_cookie(response, _COOKIE, secret, days=_DAYS)
    return response


def bring_cart_along(tx: Transaction, visit: Visit, person_id: str) -> None:
    """Somebody who was a guest has logged in: what lies in the guest's carts goes into theirs, and counts where both
    have something of a product."""
    secret = guest_secret(visit)
    if secret is None:
        return
    open_now = (sale.session.id for sale in sales(tx, openness="open", limit=_MOST_SALES))
    hashes = [_cart_hash(secret, session_id) for session_id in open_now]
    for session_id, cart_id in carts_by_secret(tx, hashes).items():
        mine = open_cart(tx, session_id, language=visit.language, person_id=person_id)
        fill_cart(tx, mine, {**cart_items(tx, mine), **cart_items(tx, cart_id)})
        empty_cart(tx, cart_id)


def _owner(person_id: str | None, secret: str | None, session_id: str) -> Owner:
    hashed = _cart_hash(secret, session_id) if secret and person_id is None else None
    return Owner(person_id=person_id, secret_hash=hashed)


def _cart_hash(secret: str, session_id: str) -> str:
    return fingerprint(_derived(secret, f"cart {session_id}"))


def _derived(secret: str, purpose: str) -> str:
    digest = hmac.digest(secret.encode(), purpose.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
