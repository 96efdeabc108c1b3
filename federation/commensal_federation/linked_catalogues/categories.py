"""Maps prices of a platform's customer categories to the hub's categories with the same IRI or the same name.

Categories without a counterpart are reported to the operator.
"""

from __future__ import annotations

from commensal import Transaction, list_categories
from commensal.trade import CustomerCategory

from ..dfc.findings import DocumentFindings
from ..dfc.iris import local_id
from ..dfc.offered_products import OfferedProduct
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcCategory


class Categories:
    """The hub's categories by the IRIs of those of a document."""

    def __init__(self, tx: Transaction, base: str, hub: str, document: DfcDocument, findings: DocumentFindings) -> None:
        self._base, self._document, self._findings = base, document, findings
        categories = list_categories(tx, hub)
        self._by_id: dict[str, CustomerCategory] = {category.id: category for category in categories}
        self._by_name = {_key(category.name): category for category in categories}

    def prices(self, good: OfferedProduct) -> dict[str, int]:
        """Returns the platform's prices for our categories, in minor units, by category id."""
        prices = {}
        for iri, price in good.buying_by_category.items():
            category_id = self._ours(iri)
            if category_id is None:
                category = self._document.get(DfcCategory, iri)
                text = "Prices for {category} are left out: there is no customer category of this name here."
                name = (category.name if category and category.name else iri)[:100]
                self._findings.note("category", text, iri, category=name)
            else:
                prices[category_id] = price.amount
        return prices

    def _ours(self, iri: str) -> str | None:
        category_id = local_id(self._base, iri, "customer_categories")
        if category_id in self._by_id:
            return category_id
        category = self._document.get(DfcCategory, iri)
        match = self._by_name.get(_key(category.name)) if category is not None else None
        return match.id if match else None


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
