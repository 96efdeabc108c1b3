"""What a platform's developer can do about a finding or a gap, by its code."""

from __future__ import annotations

from commensal import Problem

_HINTS = (
    Problem("bad_iri", "Encode spaces and other special characters, such as %20."),
    Problem("cycle", "Name the size that it is a variant of, or leave the link out."),
    Problem("foreign_host", "Give things of your own addresses of your own host, and only name those of others."),
    Problem("kept", "Nothing has to be done. If it says the same as a property of DFC, write that property."),
    Problem("languages", "Send one language only, for the reader shows one."),
    Problem("missing", "Put the node into the document, or the value in its place."),
    Problem("no_context", "Name a context, such as https://w3id.org/dfc/ontology/context/context_1.16.0.json."),
    Problem("no_currency", "Name the currency in hasUnit, such as dfc-m:Euro, or http://qudt.org/vocab/currency/CHF."),
    Problem("no_date", "Write a date like 2026-11-27T10:00:00Z."),
    Problem("no_duration", "Write a duration like PT8M, or the number of seconds."),
    Problem("no_flag", "Write true or false."),
    Problem("no_link", "Write the address of a thing."),
    Problem("no_meaning", "Use a prefix that the context declares, such as dfc-b."),
    Problem("no_number", "Write a number, such as 2.5."),
    Problem("no_pieces", "Write the number of pieces."),
    Problem("no_stock", "Write the number of pieces, or -1 for no limit."),
    Problem("no_text", "Write the text itself, or a list of texts with @language."),
    Problem("no_type", "Add @type, so that nobody has to guess."),
    Problem("other", "Nothing has to be done. If it is a thing of DFC, check how its class is spelt."),
    Problem("other_version", "Name the context of 1.16.0 or 2.0.0 if something is missing here."),
    Problem("rounded", "Write no more decimals than the currency has."),
    Problem("small_rate", "Write 5.5 for 5.5 percent, not 0.055."),
    Problem("two_values", "Write one value."),
    Problem("unknown_certificate", "Name a label of DFC's taxonomy of facets in hasCertification."),
    Problem("unknown_country", "Write a country of the EU's authority table, such as …/authority/country/FRA."),
    Problem("unknown_term", "Use a term of DFC's taxonomies, or leave it out."),
    Problem("unknown_unit", "Use a unit of DFC's taxonomy of measures, such as dfc-m:Kilogram."),
    Problem("no_name", "Add name."),
    Problem("no_price", "Add an Offer with hasPrice, linked by offeredItem and offeredThrough."),
    Problem("no_product", "Add references to the SuppliedProduct."),
    Problem("no_places", "Add startsAt and endsAt, each to a PhysicalPlace with an Address."),
    Problem("no_route", "Add isStepOf to the Route, or hasStep there."),
    Problem("no_quantity", "Add concerns to its Offer, and hasQuantity."),
)
HINTS = {hint.code: hint.text for hint in _HINTS}
