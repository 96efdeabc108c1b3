"""Copies here of the enterprises whose goods are linked."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import insert, select

from commensal import Enterprise, Transaction, enterprise_by_id
from commensal.enterprises import change_enterprise, copy_enterprise, grant

from ..catalogue.grants import SELLING
from ..dfc.offered_products import OfferedProduct
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcEnterprise
from .tables import federation_linked_producer
from .values import Link, host_of

_row = federation_linked_producer.c
_LONGEST = 200  # characters of a name


class Producers:
    """The copies of producers by IRI, created or updated at their first use."""

    def __init__(self, tx: Transaction, link: Link, hub: Enterprise, document: DfcDocument) -> None:
        self._tx, self._link, self._hub, self._document = tx, link, hub, document
        self._copies: dict[str, str] = {}

    def copy_of(self, good: OfferedProduct) -> str:
        """Returns the id of the copy of the product's supplier, else of the lister, else of the link."""
        iri = good.product.enterprise or (good.item.enterprise if good.item else None) or self._link.url
        if iri not in self._copies:
            self._copies[iri] = self._updated_copy(iri)
        return self._copies[iri]

    def _updated_copy(self, iri: str) -> str:
        enterprise = self._document.get(DfcEnterprise, iri)
        copy_id = self._tx.value(select(_row.producer_id).where(_row.enterprise_id == self._hub.id, _row.iri == iri))
        if copy_id is None:
            return self._new_copy(iri, enterprise)
        copy = enterprise_by_id(self._tx, copy_id)
        # Only a producer's own host may set its name and description.
        if enterprise is not None and enterprise.name and host_of(iri) == host_of(self._link.url):
            name, description = enterprise.name[:_LONGEST], enterprise.description
            if (copy.name, copy.description) != (name, description):
                change_enterprise(self._tx, copy.id, copy.version, name=name, description=description)
        return copy.id

    def _new_copy(self, iri: str, enterprise: DfcEnterprise | None) -> str:
        name = (enterprise.name if enterprise else "") or self._link.name or urlsplit(iri).netloc or iri
        copy = copy_enterprise(
            self._tx,
            currency=self._hub.currency,
            language=self._hub.language,
            timezone=self._hub.timezone,
            is_producer=True,
            prices_include_vat=self._hub.prices_include_vat,
            name=name[:_LONGEST],
            description=enterprise.description if enterprise else "",
        )
        row = {"enterprise_id": self._hub.id, "iri": iri, "producer_id": copy.id, "created_at": self._tx.now}
        self._tx.execute(insert(federation_linked_producer), row)
        for scope in SELLING:
            grant(self._tx, copy.id, self._hub.id, scope)
        return copy.id
