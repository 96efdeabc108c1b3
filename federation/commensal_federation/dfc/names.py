"""Namespaces of DFC: shortens the many spellings in use to one short name, and expands it again.

`compact` gives ``dfc-b:name`` for every spelling of that property; an IRI of an unknown namespace stays as it is. The
spellings come from the contexts of 1.x and 2.0.0, from the ontologies themselves, and from deployed platforms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from .namespace import NAMESPACE

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


# Names that platforms use for DFC's classes and properties besides those of the ontology and the official connectors.
#
# A document is read as if it had the names on the right. Those on the left come from older versions of DFC, from
# misspellings in deployed software, and from other readings of the standard. A name that differs from a known one
# only in capitals is that one. What is read for one class only stands with its field, as `reads` in `vocabulary`.

CLASSES: Mapping[str, str] = {
    "dfc-b:Certification": "dfc-b:Certfication",  # the class of the ontology is misspelt
    "dfc-b:DefinedProduct": "dfc-b:SuppliedProduct",  # what the ontology's items reference
    "dfc-b:Entreprise": "dfc-b:Enterprise",
    "dfc-b:PickUpOption": "dfc-b:PickupOption",
    "dfc-b:QuantitiveValue": "dfc-b:QuantitativeValue",
    "dfc-b:TheoriticalStock": "dfc-b:TheoreticalStock",
    "dfc-b:Variant": "dfc-b:SuppliedProduct",
    "Container": "ldp:Container",
    "BasicContainer": "ldp:BasicContainer",
}
PROPERTIES: Mapping[str, str] = {
    "dfc-b:affiliatedBy": "dfc-b:affiliatedTo",
    "dfc-b:certifierReference": "dfc-b:certiferReference",
    "dfc-b:constitutedBy": "dfc-b:constituedBy",
    "dfc-b:country": "dfc-b:hasCountry",
    "dfc-b:firtsName": "dfc-b:firstName",
    "dfc-b:fulfilledBy": "dfc-b:isFulfilledBy",
    "dfc-b:hasAdress": "dfc-b:hasAddress",
    "dfc-b:hasEmail": "dfc-b:email",
    "dfc-b:hasImage": "dfc-b:Image",
    "dfc-b:hasIncome": "dfc-b:hasInput",
    "dfc-b:hasName": "dfc-b:name",
    "dfc-b:hasOrderState": "dfc-b:hasOrderStatus",
    "dfc-b:hasOutcome": "dfc-b:hasOutput",
    "dfc-b:hasPaymentState": "dfc-b:hasPaymentStatus",
    "dfc-b:hasFulfilmentState": "dfc-b:hasFulfilmentStatus",
    "dfc-b:hasValue": "dfc-b:value",
    "dfc-b:incomeOf": "dfc-b:inputOf",
    "dfc-b:isOpeningDuring": "dfc-b:isOpenDuring",
    "dfc-b:offeres": "dfc-b:offers",
    "dfc-b:outcomeOf": "dfc-b:outputOf",
    "dfc-b:Price": "dfc-b:hasPrice",
    "dfc-b:priceValue": "dfc-b:price",
    "dfc-b:sold": "dfc-b:sells",
    "dfc-b:steps": "dfc-b:hasStep",
    "dfc-b:usageOrStorageCondition": "dfc-b:specificCondition",
}
# Properties that are read, but have no field.
PARTS = (
    "dfc-b:value",
    "dfc-b:hasUnit",
    "dfc-b:VATrate",
    "dfc-b:quantity",
    "dfc-b:price",
    "dfc-b:lifetime",
    "dfc-b:specificCondition",
    "dfc-b:VATstatus",
    "dfc-b:hasAllergenDimension",
)


def class_name(name: str) -> str:
    """The name of the class that this one stands for; the name itself if it stands for none."""
    return CLASSES.get(name, name)


def property_name(name: str) -> str:
    """The name of the property that this one stands for; the name itself if it stands for none."""
    alias = PROPERTIES.get(name)
    if alias is not None or not name.startswith("dfc-b:"):
        return alias or name
    known = _known()
    return name if name in known.values() else known.get(name.lower(), name)


@cache
def _known() -> Mapping[str, str]:
    """The properties that are read, by their names in small letters."""
    from .classes import BY_PROPERTY, INVERSES  # that module reads the vocabulary, which needs no aliases

    names: Iterable[str] = {*INVERSES, *PARTS, *(property for fields in BY_PROPERTY.values() for property in fields)}
    return {name.lower(): name for name in sorted(names)}
