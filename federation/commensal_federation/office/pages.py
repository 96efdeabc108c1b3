"""All pages of the federation in the office."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from commensal import OfficePage, hookimpl

from . import (
    arrivals,
    departures,
    lent,
    letters,
    orders_elsewhere,
    own_accounts,
    prices_elsewhere,
    producers_elsewhere,
    recovery_keys,
    selling_elsewhere,
)
from .neighbours import neighbour_page, neighbours_page, post_neighbour
from .pairing import join_page, pairing_page, post_invite, post_join, post_pairing

_Act = Callable[[Any, Any], Any]


def _of_operators(path: str, show: _Act, send: _Act | None = None, *, link: str = "") -> OfficePage:
    return OfficePage(path=path, place="instance", scope="operator", show=show, send=send, link=link)


@hookimpl
def office_pages() -> Sequence[OfficePage]:
    return [
        OfficePage(
            path=selling_elsewhere.PATH,
            place="hubs",
            scope="grants:read",
            show=selling_elsewhere.selling_page,
            send=selling_elsewhere.post_selling,
            link="Sell at hubs elsewhere",
            where_off=True,
        ),
        OfficePage(
            path=producers_elsewhere.PATH,
            place="producers",
            scope="grants:read",
            show=producers_elsewhere.buying_page,
            send=producers_elsewhere.post_buying,
            link="Producers elsewhere",
            where_off=True,
        ),
        OfficePage(
            path=prices_elsewhere.PATH,
            place="producers",
            scope="catalogs:read",
            show=prices_elsewhere.prices_page,
            send=prices_elsewhere.post_prices,
            link="Prices from elsewhere",
            where_off=True,
        ),
        OfficePage(
            path=orders_elsewhere.PATH,
            place="bring",
            scope="orders:write",
            show=orders_elsewhere.orders_page,
            send=orders_elsewhere.post_answer,
            where_off=True,
        ),
        OfficePage(
            path=own_accounts.SELLING,
            place="hubs",
            scope="grants:read",
            show=own_accounts.selling_page,
            send=own_accounts.post_selling,
            link="Other platforms",
            where_off=True,
        ),
        OfficePage(
            path=own_accounts.BUYING,
            place="producers",
            scope="grants:read",
            show=own_accounts.buying_page,
            send=own_accounts.post_buying,
            link="Goods of other platforms",
            where_off=True,
        ),
        OfficePage(
            path=departures.PATH,
            place="hubs",
            scope="enterprise:read",
            show=departures.departure_page,
            send=departures.post_departure,
            link="Move to another site",
            where_off=True,
        ),
        OfficePage(
            path=recovery_keys.PATH,
            place="hubs",
            scope="members:write",
            show=recovery_keys.key_page,
            send=recovery_keys.post_key,
            link="Recovery key",
            where_off=True,
        ),
        _of_operators("peers", neighbours_page, post_invite, link="Neighbours"),
        _of_operators("peers/join", join_page, post_join),
        _of_operators("peers/pairings/{pairing}", pairing_page, post_pairing),
        _of_operators("peers/{peer}", neighbour_page, post_neighbour),
        _of_operators(letters.PATH, letters.letters_page, letters.post_letters, link="Failed messages"),
        _of_operators(lent.PATH, lent.lent_page, lent.post_lent, link="Lent stock"),
        _of_operators(arrivals.PATH, arrivals.moves_page, arrivals.post_moves, link="Enterprises that move"),
    ]
