"""Vouchers: codes that take a fixed amount or a percentage off an order, and gift cards that pay for it.

A shop makes codes one by one or in batches, and says from when until when they hold, from which value of goods on, how
often, for which customers and kinds of product, and whether a code goes together with others. Customers type them at
the checkout and read at once what each is worth, or why it does not count. An order that has a code keeps it: one that
has expired since, or that the shop has archived, still counts when the order is changed or weighed. The minimum is
looked at again only when the customer changes the order, not for what the hub could not deliver.

A discount of the shop lowers what VAT is on (directive 2006/112/EC, art. 79): it is taken off each rate of the goods in
proportion. A gift card is a voucher for several purposes (art. 30a, 30b and 73a): selling it is outside VAT, and paying
with it is paying. So goods stay sold at their full price with their full VAT, the card pays what is left after
subsidies, and what an order gives back goes back onto the card. A card pays no deposits. Customers buy cards with an
order, in any of the shop's ways to pay, and the card exists once that order is paid; whoever the shop trusts with its
payments may also create cards and put money onto them. Every movement of a card is kept.

Codes are as good as what they are for. What is printed on a poster may be short; codes of batches have 60 bits of
chance and those of gift cards 80, and an address that guesses wrong ten times a minute gets no answer any more. "Once
for each customer" knows people who are logged in, and e-mail addresses, whatever is written behind a plus in them. It
cannot know that somebody has two addresses: where that matters, ask for a confirmed address, limit the number of uses,
or give each customer a code of their own. A guest who types another's address uses up that address's turn.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .demo import demo_data
from .endpoints import endpoints
from .invariants import invariants, switched_off, warnings
from .issuing import jobs, mail_kinds, order_changed, order_paid
from .office import office_pages
from .page_parts import page_parts
from .pricing import order_problems, price_adjustments, settle_adjustments
from .questions import takes_codes
from .report import reports
from .settings import Settings
from .sold_cards import erase_person, person_data
from .sold_page import shop_pages

__all__ = [
    "demo_data",
    "endpoints",
    "enterprise_settings",
    "erase_person",
    "invariants",
    "jobs",
    "mail_kinds",
    "migrations",
    "office_pages",
    "order_changed",
    "order_paid",
    "order_problems",
    "page_parts",
    "person_data",
    "price_adjustments",
    "reports",
    "settle_adjustments",
    "shop_pages",
    "switched_off",
    "takes_codes",
    "warnings",
]


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
