"""The short way to expanded JSON-LD gives what the general algorithm gives, or leaves a document to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyld import context_resolver

from commensal_federation.dfc.contexts import CONTEXT_20, CONTEXT_116, CONTEXTS, expand_anything
from commensal_federation.dfc.nodes import Nodes, flat_nodes
from commensal_federation.dfc.plain import expand_plain
from commensal_federation.handlers import TYPES
from commensal_federation.messages.types import Writing

from ..examples import BODIES, FARM, HUB

_KEYS = st.sampled_from(
    [
        "@id",
        "@type",
        "@value",
        "dfc-b:name",
        "dfc-b:hasPrice",
        "dfc-b:references",
        "dfc-b:offeredItem",
        "dfc-t:owner",
        "ofn:image",
        "ldp:contains",
        "https://vendor.example/x",
        "skos:prefLabel",
        "dfc-pt",
        "x",
        "@list",
        "@graph",
    ]
)
_LEAVES = st.sampled_from(
    [
        "",
        "a text",
        "_:b1",
        "#here",
        "dfc-m:Gram",
        "dfc-b:Offer",
        "https://farm.example/1",
        "mailto:a@b.example",
        "dfc-b",
        1,
        1.5,
        True,
        None,
        "dfc-b://x",
        ":x",
        "a b:c",
        "@id",
        "@foo",
    ]
)
_NODES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)
_PLAIN = st.dictionaries(
    st.sampled_from(["dfc-b:name", "dfc-b:hasPrice", "dfc-b:references", "ofn:image", "ldp:contains"]),
    _NODES,
    min_size=1,
    max_size=4,
)


def _sorted(document: Any) -> Any:
    """Sorts properties and values, whose order has no meaning."""
    if isinstance(document, dict):
        return {name: _sorted(value) for name, value in document.items()}
    if isinstance(document, list):
        return sorted(map(_sorted, document), key=lambda item: json.dumps(item, sort_keys=True))
    return document


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    nodes=st.lists(_PLAIN | st.dictionaries(_KEYS, _NODES, max_size=4), max_size=3),
    url=st.sampled_from([CONTEXT_116, CONTEXT_20]),
)
def test_both_ways_say_the_same(nodes: list[Any], url: str) -> None:
    document = {"@context": url, "@graph": nodes}
    plain = expand_plain(document, CONTEXTS[url]["@context"])
    if plain is not None:
        general = expand_anything(document)
        assert _sorted(plain) == _sorted(general.nodes)
        assert general.dropped == ()
    flat = flat_nodes(document, CONTEXTS[url]["@context"])
    if flat is not None:
        assert plain is not None
        longer = Nodes()
        longer.add_document(plain)
        assert flat == longer


def test_what_we_send_is_read_the_shortest_way() -> None:
    document = BODIES["CatalogueUpsert"]
    document_sent = TYPES["CatalogueUpsert"].write(document, Writing(FARM, HUB))
    assert flat_nodes(document_sent, CONTEXTS[document_sent["@context"]]["@context"])


def test_what_platforms_send_is_plain() -> None:
    node = {"@id": "https://farm.example/1", "@type": "dfc-b:Offer", "dfc-b:hasPrice": {"dfc-b:value": 2}}
    for url in (CONTEXT_116, CONTEXT_20):
        assert expand_plain({"@context": url, "@graph": [node]}, CONTEXTS[url]["@context"])
        assert expand_plain({"@context": url, **node}, CONTEXTS[url]["@context"])


def test_known_contexts_are_processed_once_however_many_documents_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"@context": [CONTEXT_20, CONTEXT_116], "@id": "https://farm.example/carrots", "dfc-b:name": "Carrots"}
    first = expand_anything(document)
    monkeypatch.setattr(context_resolver, "canonicalize", lambda context: pytest.fail("processed a context again"))
    assert expand_anything(document) == first
