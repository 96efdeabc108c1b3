"""Prices of a platform's customer categories become prices of the hub's own: of the same address here, or of the same
name. What has no counterpart is listed to the operator."""

from __future__ import annotations

from commensal import CustomerCategory, Transaction, list_categories

from ..dfc.findings import DocumentFindings
from ..dfc.iris import local_id
from ..dfc.offered_products import OfferedProduct
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcCategory


class Categories:
    """The hub's categories by the IRIs of those of a document."""

    def __init__(self, tx: Transaction, base: str, hub: str, document: DfcDocument, findings: DocumentFindings) -> None:
        self._base, self._document, self._findings = base, document, findings
        there = list_categories(tx, hub)
        self._by_id: dict[str, CustomerCategory] = {one.id: one for one in there}
        self._by_name = {_key(one.name): one for one in there}

    def prices(self, good: OfferedProduct) -> dict[str, int]:
        """What our categories pay for it there, by their ids, in minor units."""
        found = {}
        for iri, price in good.by_category.items():
            category_id = self._ours(iri)
            if category_id is None:
                said = self._document.get(DfcCategory, iri)
                text = "Prices for {category} are left out: there is no customer category of this name here."
                name = (said.name if said and said.name else iri)[:100]
                self._findings.note("category", text, iri, category=name)
            else:
                found[category_id] = price.amount
        return found

    def _ours(self, iri: str) -> str | None:
        known = local_id(self._base, iri, "customer_categories")
        if known in self._by_id:
            return known
        said = self._document.get(DfcCategory, iri)
        found = self._by_name.get(_key(said.name)) if said is not None else None
        return found.id if found else None


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
