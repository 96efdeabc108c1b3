"""Works out what a wish would cost now. Writes nothing and reserves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..base.plugin_fields import read_plugin_values
from ..hooks.dispatcher import Hooks
from ..hooks.values import ConsentRequest, ShippingOption
from ..storage.database import Transaction
from .consents import consent_requests
from .lines import lines_for
from .price import Choices, draft_of, price, read_codes
from .sale_context import known_customer, sale_context_for
from .shipping import shipping_options, unknown_shipping
from .values import Quote, SaleContext


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A quote with the shipping options and the consent requests that go with it, both by "plugin:id"."""

    shop: SaleContext
    quote: Quote
    shipping_options: Mapping[str, ShippingOption]
    consent_requests: Mapping[str, ConsentRequest]


def quote_order(
    tx: Transaction,
    hooks: Hooks,
    session_id: str,
    items: Mapping[str, int],
    *,
    language: str,
    person_id: str | None = None,
    chosen: Choices | None = None,
) -> Offered:
    """Prices `items` (pieces by catalog item) for this customer, with the shipping, codes and address in `chosen`.

    Values of plugins' fields that could not be placed do not count, as if they were not filled in yet.

    Without items, codes alone may cost something; then there is nothing to ship.

    Raises what `place_order` raises for items that are not on sale and for impossible quantities. Stock is not
    checked: that is decided when the order is placed.
    """
    shop = sale_context_for(tx, session_id, person_id)
    customer = known_customer(tx, shop.enterprise_id, person_id)
    lines = lines_for(tx, shop, items, customer.category_ids)
    chosen = chosen or Choices()
    values = read_plugin_values(tx.plugin_fields.orders.of(shop.plugins), chosen.plugin_fields, {}, [])
    choices = replace(chosen, codes=read_codes(chosen.codes), plugin_fields=values)
    draft = draft_of("", shop, lines, customer, choices, person_id=person_id, language=language)
    available = shipping_options(tx, hooks, shop, language, draft) if lines else {}
    if choices.shipping and choices.shipping not in available:
        raise unknown_shipping()
    quote = price(tx, hooks, shop, draft, available.get(choices.shipping))
    requests = consent_requests(tx, hooks, shop, quote.draft, language)
    return Offered(shop=shop, quote=quote, shipping_options=available, consent_requests=requests)
