"""What a platform's developer can do about a finding or a gap, by its code."""

from __future__ import annotations

from commensal import Problem

_HINTS = (
    Problem("cycle", "Name the size that it is a variant of, or leave the link out."),
    Problem("foreign_host", "Give things of your own addresses of your own host, and only name those of others."),
    Problem("kept", "Nothing has to be done. If it says the same as a property of DFC, write that property."),
    Problem("missing", "Put the node into the document, or the value in its place."),
    Problem("no_currency", "Name the currency in hasUnit, such as dfc-m:Euro, or http://qudt.org/vocab/currency/CHF."),
    Problem("no_date", "Write a date like 2026-11-27T10:00:00Z."),
    Problem("no_link", "Write the address of a thing."),
    Problem("no_meaning", "Use a prefix that the context declares, such as dfc-b."),
    Problem("no_number", "Write a number, such as 2.5."),
    Problem("no_type", "Add @type, so that nobody has to guess."),
    Problem("other", "Nothing has to be done. If it is a thing of DFC, check how its class is spelt."),
    Problem("rounded", "Write no more decimals than the currency has."),
    Problem("two_values", "Write one value."),
    Problem("unknown_certificate", "Name a label of DFC's taxonomy of facets in hasCertification."),
    Problem("unknown_country", "Write a country of the EU's authority table, such as …/authority/country/FRA."),
    Problem("unknown_term", "Use a term of DFC's taxonomies, or leave it out."),
    Problem("unknown_unit", "Use a unit of DFC's taxonomy of measures, such as dfc-m:Kilogram."),
    Problem("no_price", "Add an Offer with hasPrice, linked by offeredItem and offeredThrough."),
    Problem("no_product", "Add references to the SuppliedProduct."),
    Problem("no_quantity", "Add concerns to its Offer, and hasQuantity."),
)
HINTS = {hint.code: hint.text for hint in _HINTS}
