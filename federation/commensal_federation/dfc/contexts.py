"""The contexts of DFC documents. All known contexts are here; nothing is fetched, and an unknown context is refused.

DFC's contexts hold prefixes and declare which properties are links, and nothing else (from ``context_1.16.0.json`` and
``context_2.0.0.json`` of github.com/datafoodconsortium/wordpress-context-jsonld, MIT).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .findings import UnreadableDocument
from .names import COMMON, OWN, PREFIXES_20, PREFIXES_116
from .namespace import NAMESPACE
from .plain import expand_plain

CONTEXT_116 = "https://www.datafoodconsortium.org/wp-content/plugins/wordpress-context-jsonld/context_1.16.0.jsonld"
CONTEXT_20 = "https://w3id.org/dfc/ontology/context/context_2.0.0.json"
_CONTEXT_OLD = "https://w3id.org/dfc/ontology/context/context_1.8.2.json"
RELATIVE = "http://relative.invalid/"  # base of relative names; removed after expansion

_LINKS_T = ("represent", "owner", "hasPivot", "hostedBy")
_OLD = {"dfc-p": "https://github.com/datafoodconsortium/ontology/releases/latest/download/DFC_ProductGlossary.owl#"}
_OLD_LINKS = {"dfc-p:hasUnit", "dfc-p:hasType", "dfc-b:offeres", "dfc-b:affiliatedBy", "dfc:owner"}


def _links() -> dict[str, list[str]]:
    lines = Path(__file__).with_name("tables").joinpath("links.txt").read_text(encoding="utf-8").splitlines()
    return {words[0]: words[1:] for words in map(str.split, lines) if words[0] != "#"}


_LINKS = _links()


def _context(prefixes: Mapping[str, str], *links: str) -> dict[str, Any]:
    terms = [*(f"dfc-b:{link}" for link in (*_LINKS["both"], *links)), *(f"dfc-t:{link}" for link in _LINKS_T)]
    return {"@context": {**COMMON, **prefixes, **{term: {"@type": "@id"} for term in terms}}}


def _of_any_age() -> dict[str, Any]:
    """The context for addresses that served several versions: the prefixes of 1.16 and the links of all versions."""
    terms = _context(PREFIXES_116, *_LINKS["1.16"], *_LINKS["2.0"])["@context"]
    return {"@context": {**terms, **_OLD, **{term: {"@type": "@id"} for term in _OLD_LINKS}}}


DFC_116 = _context(PREFIXES_116, *_LINKS["1.16"])
DFC_20 = _context(PREFIXES_20, *_LINKS["2.0"])
DFC_OLD = _of_any_age()
# The context that Startinblox servers name in documents of permissions, with the terms that those use.
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


def own_context() -> dict[str, object]:
    """The context of messages, which says what each term of ours means."""
    file = Path(__file__).parents[1] / "messages" / "context.json"
    terms = json.loads(file.read_text(encoding="utf-8"))["@context"]
    return {"@context": {**terms, "fed": OWN}}


def _addresses() -> dict[str, Any]:
    plugin = "https://www.datafoodconsortium.org/wp-content/plugins/wordpress-context-jsonld/context_{}.jsonld"
    mirror = "https://cdn.jsdelivr.net/gh/datafoodconsortium/ontology/context/context_{}.json"
    contexts: dict[str, object] = {
        "https://w3id.org/dfc/ontology/v2.0.0/context/context_2.0.0.json": DFC_20,
        "https://cdn.startinblox.com/owl/context-bis.jsonld": _STARTINBLOX,
        NAMESPACE: own_context(),
    }
    for version, context in (("1.8.2", DFC_OLD), ("1.16.0", DFC_116), ("2.0.0", DFC_20)):
        for form in (plugin, mirror, "https://w3id.org/dfc/ontology/context/context_{}.json"):
            contexts[form.format(version)] = context
    for host in ("www.datafoodconsortium.org", "datafoodconsortium.org", "static.datafoodconsortium.org"):
        for scheme in ("http", "https"):
            for path in ("", "/", "/ontologies/context.json"):
                contexts[f"{scheme}://{host}{path}"] = DFC_OLD
    return contexts


CONTEXTS = _addresses()
_UNNAMED = ""  # the document names no context
_PLAIN = (DFC_OLD, DFC_116, DFC_20)


# A context of DFC by its version, at any address at which DFC has published one.
_VERSIONED = re.compile(
    r"https?://(?:www\.)?(?:w3id\.org/dfc|datafoodconsortium\.org|(?:cdn\.jsdelivr\.net/gh|raw\.githubusercontent\.com"
    r"|github\.com)/datafoodconsortium)/[\w./@-]{1,150}context_?v?(?P<major>[12])(?:\.\d{1,4}){0,2}\.json(?:ld)?"
)


def context_at(url: str) -> Any:
    """The context with this address; None for an unknown one.

    A version that is not known here is read as the last known one of its line: DFC's contexts differ in prefixes, which
    are all known, and in which properties are links.
    """
    versioned = None if url in CONTEXTS else _VERSIONED.fullmatch(url)
    if versioned is not None:
        return DFC_20 if versioned["major"] == "2" else DFC_OLD
    return CONTEXTS.get(url)


@dataclass(frozen=True)
class Expanded:
    """Expanded JSON-LD, and the keys that expansion dropped: without a prefix, and in no context."""

    nodes: list[Any]
    dropped: tuple[str, ...]


def expand(document: Mapping[str, object] | list[object]) -> list[object]:
    """Expands a document of ours. Raises `UnreadableDocument`, also for a key that would be dropped."""
    expanded = expand_foreign(document)
    if expanded.dropped:
        raise UnreadableDocument("dropped", f"No context knows {', '.join(expanded.dropped)}.")
    return expanded.nodes


def expand_foreign(document: Mapping[str, object] | list[object]) -> Expanded:
    """Expands a document of any platform; without a context it is read as 1.16, as the official connectors do.

    Raises `UnreadableDocument` for an unknown context, and for anything but JSON-LD.
    """
    plain = expand_by_prefixes(document)
    return Expanded(plain, ()) if plain is not None else expand_anything(document)


def expand_by_prefixes(document: Mapping[str, object] | list[object]) -> list[object] | None:
    """Expands a document with a DFC context that needs only its prefixes; None for any other document."""
    context = plain_context(document)
    return expand_plain(document, context) if context and isinstance(document, Mapping) else None


def plain_context(document: Mapping[str, object] | list[object]) -> Mapping[str, object] | None:
    """The context of a document if it holds only prefixes and links, else None."""
    if not isinstance(document, Mapping):
        return None
    url = document.get("@context", _UNNAMED)
    if not isinstance(url, str):
        return None
    context = context_at(url) if url != _UNNAMED else DFC_OLD
    return next((plain["@context"] for plain in _PLAIN if plain is context), None)


def expand_anything(document: Mapping[str, object] | list[object]) -> Expanded:
    """Expands any document by the general algorithm of JSON-LD 1.1. Raises `UnreadableDocument`."""
    from pyld import jsonld  # slow to load; our own documents do not need it

    dropped: dict[str, None] = {}
    options = {"documentLoader": _loader(), "expandContext": _CONTEXT_OLD, "base": RELATIVE}
    try:
        nodes = jsonld.expand(document, options, on_property_dropped=lambda name: dropped.setdefault(str(name)))
    except jsonld.JsonLdError as error:
        raise _unreadable(error) from None
    except Exception as error:  # PyLD raises various errors for contexts that make no sense
        raise UnreadableDocument("no_jsonld", f"This is not JSON-LD that can be processed: {error!r:.200}") from None
    return Expanded(nodes, tuple(dropped))


@cache
def _loader() -> object:
    from pyld import FrozenDocumentLoader

    load = FrozenDocumentLoader(CONTEXTS)

    def load_known(url: str, options: object) -> dict[str, object]:
        """A tagged context is processed once; PyLD would canonicalise any other again for each document."""
        context = context_at(url)
        known = load(url if context is None or url in CONTEXTS else CONTEXT_20, options)
        return {**known, "documentUrl": url, "document": context or known["document"], "tag": "static"}

    return load_known


def _unreadable(error: Exception) -> UnreadableDocument:
    cause: BaseException | None = error
    while cause is not None:
        url = getattr(cause, "details", None) or {}
        if isinstance(url, dict) and "url" in url:
            text = f"The context {str(url['url'])[:200]} is not known here, and nothing is fetched. Name one of DFC's."
            return UnreadableDocument("unknown_context", text)
        cause = getattr(cause, "cause", None) or cause.__cause__
    return UnreadableDocument("no_jsonld", f"This is not JSON-LD: {str(error).splitlines()[0][:300]}")


def links_of(version: str) -> frozenset[str]:
    """The short names of the properties that the context of "1.16" or "2.0" declares as links."""
    declared = (DFC_20 if version == "2.0" else DFC_116)["@context"]
    return frozenset(name for name, definition in declared.items() if isinstance(definition, dict))
