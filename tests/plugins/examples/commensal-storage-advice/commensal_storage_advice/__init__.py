"""Storage advice: producers say where a product keeps best, and for how many days."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import Concept, ProductField, hookimpl

PLACES = {
    "cellar": Concept(term="cellar", en="in the cellar", fr="à la cave"),
    "fridge": Concept(term="fridge", en="in the fridge", fr="au réfrigérateur"),
    "kitchen": Concept(term="kitchen", en="in the kitchen", fr="à température ambiante"),
}


@hookimpl
def product_fields() -> Sequence[ProductField]:
    """Two typed fields. From these lines the core makes the fields of the API and of its document, the columns of
    product lists, the inputs on the product's page in the office, and the lines on its row in the shop."""
    return [
        ProductField(
            name="place",
            kind="term",  # one word of a vocabulary, which everybody reads in their language
            vocabulary=PLACES,
            english="where to keep it",
            french="où le conserver",
            shown="line",
        ),
        ProductField(
            name="days",
            kind="number",
            most=3650,
            english="keeps (days)",
            french="se garde (jours)",
            shown="line",
        ),
    ]
