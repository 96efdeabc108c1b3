"""The contexts of DFC documents, all known here: nothing is ever fetched, and what is not known is refused.

DFC's contexts hold prefixes, and which properties are links; that is all there is to know of them (from
``context_1.16.0.json`` and ``context_2.0.0.json`` of github.com/datafoodconsortium/wordpress-context-jsonld, MIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .findings import Unreadable
from .names import COMMON, OWN, PREFIXES_20, PREFIXES_116
from .plain import expand_plain

CONTEXT_116 = "https://www.datafoodconsortium.org/wp-content/plugins/wordpress-context-jsonld/context_1.16.0.jsonld"
CONTEXT_20 = "https://w3id.org/dfc/ontology/context/context_2.0.0.json"
RELATIVE = "http://relative.invalid/"  # what relative names are expanded with, and shortened by again
ENVELOPE_CONTEXT = OWN.removesuffix("#")

_LINKS_T = ("represent", "owner", "hasPivot", "hostedBy")
_OLD = {"dfc-p": "https://github.com/datafoodconsortium/ontology/releases/latest/download/DFC_ProductGlossary.owl#"}
_OLD_LINKS = {"dfc-p:hasUnit", "dfc-p:hasType", "dfc-b:offeres", "dfc-b:affiliatedBy", "dfc:owner"}


def _links() -> dict[str, list[str]]:
    lines = Path(__file__).with_name("tables").joinpath("links.txt").read_text(encoding="utf-8").splitlines()
    return {words[0]: words[1:] for words in map(str.split, lines) if words[0] != "#"}


_LINKS = _links()


def _context(prefixes: Mapping[str, str], *links: str) -> dict[str, Any]:
    terms = [*(f"dfc-b:{one}" for one in (*_LINKS["both"], *links)), *(f"dfc-t:{one}" for one in _LINKS_T)]
    return {"@context": {**COMMON, **prefixes, **{term: {"@type": "@id"} for term in terms}}}


def _of_any_age() -> dict[str, Any]:
    """For addresses that stood for one version after another: the spelling of 1.16, and the links of all."""
    terms = _context(PREFIXES_116, *_LINKS["1.16"], *_LINKS["2.0"])["@context"]
    return {"@context": {**terms, **_OLD, **{term: {"@type": "@id"} for term in _OLD_LINKS}}}


DFC_116 = _context(PREFIXES_116, *_LINKS["1.16"])
DFC_20 = _context(PREFIXES_20, *_LINKS["2.0"])
DFC_OLD = _of_any_age()
# What startinblox' servers name in documents of permissions: the terms that those use.
_STARTINBLOX = {
    "@context": {
        "@vocab": "http://happy-dev.fr/owl/#",
        "acl": "http://www.w3.org/ns/auth/acl#",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "ldp": "http://www.w3.org/ns/ldp#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "sib": "http://cdn.startinblox.com/owl/ttl/vocab.ttl#",
        "name": "rdfs:label",
        "permissions": "acl:accessControl",
        "mode": "acl:mode",
    }
}


def _addresses() -> dict[str, Any]:
    plugin = "https://www.datafoodconsortium.org/wp-content/plugins/wordpress-context-jsonld/context_{}.jsonld"
    mirror = "https://cdn.jsdelivr.net/gh/datafoodconsortium/ontology/context/context_{}.json"
    known: dict[str, Any] = {
        "https://w3id.org/dfc/ontology/v2.0.0/context/context_2.0.0.json": DFC_20,
        "https://cdn.startinblox.com/owl/context-bis.jsonld": _STARTINBLOX,
        ENVELOPE_CONTEXT: Path(__file__).parent.parent / "messages" / "context.json",
    }
    for version, context in (("1.8.2", DFC_OLD), ("1.16.0", DFC_116), ("2.0.0", DFC_20)):
        for form in (plugin, mirror, "https://w3id.org/dfc/ontology/context/context_{}.json"):
            known[form.format(version)] = context
    for host in ("www.datafoodconsortium.org", "datafoodconsortium.org", "static.datafoodconsortium.org"):
        for scheme in ("http", "https"):
            for path in ("", "/", "/ontologies/context.json"):
                known[f"{scheme}://{host}{path}"] = DFC_OLD
    return known


CONTEXTS = _addresses()
_UNNAMED = ""  # a document that names no context
_PLAIN = {url: said for url, said in CONTEXTS.items() if any(said is one for one in (DFC_OLD, DFC_116, DFC_20))}
_PLAIN[_UNNAMED] = DFC_OLD


@dataclass(frozen=True)
class Expanded:
    """Expanded JSON-LD, and the keys that have no meaning in it: without a prefix, and in no context."""

    nodes: list[Any]
    dropped: tuple[str, ...]


def expand(document: Mapping[str, Any] | list[Any]) -> list[Any]:
    """What a document of ours says in expanded JSON-LD. Raises `Unreadable` for a key that would be lost, too."""
    expanded = expand_foreign(document)
    if expanded.dropped:
        raise Unreadable("dropped", f"No context knows {', '.join(expanded.dropped)}.")
    return expanded.nodes


def expand_foreign(document: Mapping[str, Any] | list[Any]) -> Expanded:
    """What anybody's document says; without a context it is read as 1.16, as the official connectors do.

    Raises `Unreadable` for a context that is not known, and for what is no JSON-LD.
    """
    plain = expand_by_prefixes(document)
    return Expanded(plain, ()) if plain is not None else expand_anything(document)


def expand_by_prefixes(document: Mapping[str, Any] | list[Any]) -> list[Any] | None:
    """The nodes of a document with a context of DFC that needs no more than its prefixes; None for any other."""
    context = plain_context(document)
    return expand_plain(document, context) if context and isinstance(document, Mapping) else None


def plain_context(document: Mapping[str, Any] | list[Any]) -> Mapping[str, Any] | None:
    """The context of a document, where that holds only prefixes and links."""
    if not isinstance(document, Mapping):
        return None
    named = document.get("@context", _UNNAMED)
    plain = _PLAIN.get(named) if isinstance(named, str) else None
    return plain["@context"] if plain else None


def expand_anything(document: Mapping[str, Any] | list[Any]) -> Expanded:
    """The same by the general algorithm of JSON-LD 1.1."""
    from pyld import jsonld  # type: ignore[import-untyped]  # it takes long to load, and our own need no general algorithm

    dropped: dict[str, None] = {}
    options = {"documentLoader": _loader(), "expandContext": DFC_OLD, "base": RELATIVE}
    try:
        nodes = jsonld.expand(document, options, on_property_dropped=lambda name: dropped.setdefault(str(name)))
    except jsonld.JsonLdError as error:
        raise _unreadable(error) from None
    except Exception as error:  # PyLD trips over some contexts that make no sense, each time in another way
        raise Unreadable("no_jsonld", f"This is no JSON-LD that can be processed: {error!r:.200}") from None
    return Expanded(nodes, tuple(dropped))


@cache
def _loader() -> Any:
    from pyld import FrozenDocumentLoader

    return FrozenDocumentLoader(CONTEXTS)


def _unreadable(error: Exception) -> Unreadable:
    cause: BaseException | None = error
    while cause is not None:
        url = getattr(cause, "details", None) or {}
        if isinstance(url, dict) and "url" in url:
            text = f"The context {str(url['url'])[:200]} is not known here, and nothing is fetched. Name one of DFC's."
            return Unreadable("unknown_context", text)
        cause = getattr(cause, "cause", None) or cause.__cause__
    return Unreadable("no_jsonld", f"This is no JSON-LD: {str(error).splitlines()[0][:300]}")


def links_of(version: str) -> frozenset[str]:
    """The short names of the properties that the context of "1.16" or "2.0" declares to be links."""
    declared = (DFC_20 if version == "2.0" else DFC_116)["@context"]
    return frozenset(name for name, said in declared.items() if isinstance(said, dict))
