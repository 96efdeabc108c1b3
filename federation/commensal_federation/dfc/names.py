"""Namespaces of DFC: shortens the many spellings in use to one short name, and expands it again.

`compact` gives ``dfc-b:name`` for every spelling of that property; an IRI of an unknown namespace stays as it is. The
spellings come from the contexts of 1.x and 2.0.0, from the ontologies themselves, and from deployed platforms.
"""

from __future__ import annotations

from functools import lru_cache

from ..namespace import NAMESPACE

OWN = f"{NAMESPACE}#"  # for terms that DFC lacks

_GITHUB = "https://github.com/datafoodconsortium/{}/releases/latest/download/"
PREFIXES_116: dict[str, str] = {
    "dfc": _GITHUB.format("ontology") + "DFC_FullModel.owl#",
    "dfc-b": _GITHUB.format("ontology") + "DFC_BusinessOntology.owl#",
    "dfc-t": _GITHUB.format("ontology") + "DFC_TechnicalOntology.owl#",
    "dfc-m": _GITHUB.format("taxonomies") + "measures.rdf#",
    "dfc-pt": _GITHUB.format("taxonomies") + "productTypes.rdf#",
    "dfc-f": _GITHUB.format("taxonomies") + "facets.rdf#",
    "dfc-v": _GITHUB.format("taxonomies") + "vocabulary.rdf#",
}
PREFIXES_20: dict[str, str] = {
    "dfc": "http://w3id.org/dfc/ontology/DFC_FullModel.owl#",
    "dfc-b": "http://w3id.org/dfc/ontology/v2.0.0/src/DFC_BusinessOntology.owl#",
    "dfc-t": "http://w3id.org/dfc/ontology/v2.0.0/src/DFC_TechnicalOntology.owl#",
    "dfc-m": "http://w3id.org/dfc/taxonomies/v2.0.0/measures.rdf#",
    "dfc-pt": "http://w3id.org/dfc/taxonomies/v2.0.0/productTypes.rdf#",
    "dfc-f": "http://w3id.org/dfc/taxonomies/v2.0.0/facets.rdf#",
    "dfc-v": "http://w3id.org/dfc/taxonomies/v2.0.0/vocabulary.rdf#",
}
COMMON: dict[str, str] = {
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dc": "http://purl.org/dc/elements/1.1/#",  # with the stray # that DFC's contexts have
    "ontosec": "http://www.semanticweb.org/ontologies/2008/11/OntologySecurity.owl#",
}
LDP = "http://www.w3.org/ns/ldp#"
CURRENCY = "http://qudt.org/vocab/currency/"  # QUDT: EUR, GBP … of ISO 4217
COUNTRY = "http://publications.europa.eu/resource/authority/country/"  # FRA, GBR … of ISO 3166-1 alpha-3

_FILES = {
    "FullModel.owl": "dfc",
    "BusinessOntology.owl": "dfc-b",
    "TechnicalOntology.owl": "dfc-t",
    "ProductGlossary.owl": "dfc-b",  # dfc-p: its terms went to dfc-b with 1.8
    "ProductOntology.owl": "dfc-b",
    "measures.rdf": "dfc-m",
    "units.rdf": "dfc-m",
    "productTypes.rdf": "dfc-pt",
    "facets.rdf": "dfc-f",
    "vocabulary.rdf": "dfc-v",
    "scopes.rdf": "scopes",
}
_HOSTS = (
    "github.com/datafoodconsortium/",
    "w3id.org/dfc/",
    "static.datafoodconsortium.org/",
    "datafoodconsortium.org/",
)
_OTHERS = {
    LDP: "ldp",
    OWN: "own",
    CURRENCY: "cur",
    "https://qudt.org/vocab/currency/": "cur",
    "http://qudt.org/vocab/unit/CCY_": "cur",  # since QUDT 3
    "https://qudt.org/vocab/unit/CCY_": "cur",
    "http://qudt.org/vocab/unit/": "unit",
    "https://qudt.org/vocab/unit/": "unit",
    "http://www.w3.org/2002/07/owl#": "owl",
    "https://www.w3.org/ns/ldp#": "ldp",
    "https://schema.org/": "schema",
    "http://schema.org/": "schema",
}
_WITHOUT_FRAGMENT = (*_OTHERS, "dfc-p:")
_LONGEST = 300  # characters; IRIs of vocabularies are shorter
_NAMESPACES = {
    "own": OWN,
    "ldp": LDP,
    "cur": CURRENCY,
    "owl": "http://www.w3.org/2002/07/owl#",
    "schema": "https://schema.org/",
    "unit": "http://qudt.org/vocab/unit/",
    "scopes": _GITHUB.format("taxonomies") + "scopes.rdf#",  # as deployed platforms write it
}
_DECLARED = {*PREFIXES_116, "ldp", "cur", "unit", "owl", "schema", "own", "scopes", "ofn"}


def compact(iri: str) -> str:
    """The short name of a property, class or concept: ``dfc-b:name``, ``ldp:contains``, or the IRI as it is."""
    if "#" not in iri and not iri.startswith(_WITHOUT_FRAGMENT):  # usually the name of a thing
        return iri
    return _compact(iri) if len(iri) <= _LONGEST else iri


@lru_cache(maxsize=5_000)
def _compact(iri: str) -> str:
    prefix, _, rest = iri.partition(":")
    if prefix == "dfc-p":
        return f"dfc-b:{rest}"
    if prefix in _DECLARED:
        return iri
    for namespace, name in _OTHERS.items():
        if iri.startswith(namespace):
            return f"{name}:{iri.removeprefix(namespace)}"
    document, hash_, term = iri.partition("#")
    if not hash_:
        return iri
    address = document.partition("://")[2].removeprefix("www.")
    file = address.rpartition("/")[2].removeprefix("DFC_")
    prefix_of_file = _FILES.get(file) or _FILES.get(f"{file}.rdf")
    return f"{prefix_of_file}:{term}" if prefix_of_file and address.startswith(_HOSTS) else iri


def is_version_2(iri: str) -> bool:
    """Whether only documents of version 2 spell a name like this."""
    return "w3id.org/dfc/" in iri and "/v2." in iri


@lru_cache(maxsize=5_000)
def full(name: str) -> str:
    """The IRI of a short name that DFC's contexts do not declare; any other name unchanged."""
    prefix, _, term = name.partition(":")
    namespace = _NAMESPACES.get(prefix)
    return f"{namespace}{term}" if namespace else name
