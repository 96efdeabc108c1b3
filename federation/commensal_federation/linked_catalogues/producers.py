"""Copies here of the enterprises whose goods are linked."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import insert, select

from commensal import Enterprise, Transaction, change_enterprise, copy_enterprise, enterprise_by_id, grant

from ..catalogue.grants import SELLING
from ..dfc.offered_products import OfferedProduct
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcEnterprise
from .tables import federation_linked_producer
from .values import Link, host_of

_row = federation_linked_producer.c
_LONGEST = 200  # characters of a name


class Producers:
    """Ids of copies by IRI; made, and brought up to date, when they are first asked for."""

    def __init__(self, tx: Transaction, link: Link, hub: Enterprise, document: DfcDocument) -> None:
        self._tx, self._link, self._hub, self._document = tx, link, hub, document
        self._found: dict[str, str] = {}

    def of(self, good: OfferedProduct) -> str:
        """The copy of whoever supplies it; where nobody is named, of whoever lists it, or is behind the link."""
        iri = good.product.enterprise or (good.item.enterprise if good.item else None) or self._link.url
        if iri not in self._found:
            self._found[iri] = self._kept(iri)
        return self._found[iri]

    def _kept(self, iri: str) -> str:
        said = self._document.get(DfcEnterprise, iri)
        known = self._tx.value(select(_row.producer_id).where(_row.enterprise_id == self._hub.id, _row.iri == iri))
        if known is None:
            return self._made(iri, said)
        copy = enterprise_by_id(self._tx, known)
        # Another platform may name whom it likes as a supplier, but not say who that is.
        if said is not None and said.name and host_of(iri) == host_of(self._link.url):
            about = {"name": said.name[:_LONGEST], "description": said.description}
            if (copy.name, copy.description) != (about["name"], about["description"]):
                change_enterprise(self._tx, copy.id, copy.version, **about)  # type: ignore[arg-type]
        return copy.id

    def _made(self, iri: str, said: DfcEnterprise | None) -> str:
        name = (said.name if said else "") or self._link.name or urlsplit(iri).netloc or iri
        made = copy_enterprise(
            self._tx, currency=self._hub.currency, language=self._hub.language, timezone=self._hub.timezone,
            is_producer=True, prices_include_vat=self._hub.prices_include_vat, name=name[:_LONGEST],
            description=said.description if said else "",
        )  # fmt: skip
        row = {"enterprise_id": self._hub.id, "iri": iri, "producer_id": made.id, "created_at": self._tx.now}
        self._tx.execute(insert(federation_linked_producer), row)
        for scope in SELLING:
            grant(self._tx, made.id, self._hub.id, scope)
        return made.id
