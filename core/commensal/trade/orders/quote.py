"""What a wish would cost now, with everything that stands in its way. Writes nothing, takes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...hooks.dispatcher import Hooks
from ...hooks.values import ConsentRequest, ShippingOption
from ...storage.database import Transaction
from .consents import asked
from .lines import lines_for
from .price import Choices, draft_of, price
from .selling import known_customer, selling_to
from .settle import read_codes
from .shipping import options, unknown_shipping
from .values import Quote, Selling


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A quote with the ways to receive the goods, and what the customer may agree to, by "plugin:id"."""

    shop: Selling
    quote: Quote
    shipping_options: Mapping[str, ShippingOption]
    consent_requests: Mapping[str, ConsentRequest]


def quote_order(
    tx: Transaction, hooks: Hooks, session_id: str, items: Mapping[str, int], *, language: str,
    person_id: str | None = None, chosen: Choices | None = None,
) -> Offered:  # fmt: skip
    """The price of these pieces for this customer, with what else they consider: shipping, codes, an address.

    Raises what `place_order` raises for items that are not on sale or quantities that cannot be; not for stock, which
    is decided when the order is placed.
    """
    shop = selling_to(tx, session_id, person_id)
    known = known_customer(tx, shop.enterprise_id, person_id)
    lines = lines_for(tx, shop, items, known.category_ids)
    chosen = chosen or Choices()
    choices = options(tx, hooks, shop, language, chosen.address)
    if chosen.shipping and chosen.shipping not in choices:
        raise unknown_shipping()
    wished = replace(chosen, codes=read_codes(chosen.codes))
    draft = draft_of("", shop, lines, known, wished, person_id=person_id, language=language)
    quote = price(tx, hooks, shop, draft, choices.get(wished.shipping))
    requests = asked(tx, hooks, shop, quote.draft, language)
    return Offered(shop=shop, quote=quote, shipping_options=choices, consent_requests=requests)
