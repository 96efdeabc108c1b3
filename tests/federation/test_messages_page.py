"""Every message type has an example on the page for authors of other implementations, and DFC software can read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyld import FrozenDocumentLoader, jsonld

from commensal_federation.dfc.contexts import CONTEXTS
from commensal_federation.handlers import HANDLERS, TYPES
from commensal_federation.identity import read_document
from commensal_federation.messages.envelope import DFC_CONTEXT, ENVELOPE_CONTEXT, read_envelope
from commensal_federation.messages.types import Reading, Writing
from commensal_federation.moving.document import enterprise_document
from commensal_federation.signing import canonical, read_json
from commensal_federation.testing import Region

from .examples import (
    BODIES,
    BY_THE_HUB,
    FARM,
    HUB,
    NOW,
    authority_document,
    example,
    instance_document,
    offer_statement,
)
from .second.instance import Peer, check_document
from .second.signing import Unproven, check_proof
from .trading import Producer

PAGE = Path(__file__).parents[2] / "federation" / "MESSAGES.md"
VECTORS = PAGE.with_name("vectors") / "join-and-first-lease.json"
CID_CONTEXT = "https://www.w3.org/ns/cid/v1"
every_type = pytest.mark.parametrize("name", TYPES)


def test_every_handler_takes_the_body_of_its_type() -> None:
    """The table that binds them cannot say so to a type checker, but the signatures can be read."""
    for message_type, handler in HANDLERS.items():
        body = message_type.body.__name__
        for function, wrapper in ((handler.handle, "Received"), (handler.failed, "Failed"), (handler.recover, "Sent")):
            if function is not None:
                *_, taken, _result = function.__annotations__.values()
                assert taken == f"{wrapper}[{body}]", f"{function.__qualname__} handles {message_type.name}"


def test_every_type_has_an_example() -> None:
    assert set(BODIES) == set(TYPES)


@every_type
def test_the_page_says_what_each_term_of_ours_means(name: str) -> None:
    optional = {"dfc-b:hasQuantity", "barred", "kept", "statement", "originStatement", "apart", "objection"}
    terms = set(terms_of(json.loads(example(name))["object"]))
    assert terms <= set(TYPES[name].members) <= terms | optional


def test_the_document_of_the_page_is_one_and_its_keys_have_signed_the_messages() -> None:
    iri = f"{FARM}/.well-known/commensal"
    document = read_document(canonical(instance_document()), iri, NOW)
    (revoked,) = [key for key in document.keys.values() if key.revoked_at]
    assert revoked.id == f"{iri}#k0"

    other_document = check_document(instance_document(), iri)
    for signed_document in [authority_document(), *(json.loads(example(name)) for name in set(TYPES) - BY_THE_HUB)]:
        check_proof(signed_document, Peer(other_document).keys)


def test_the_document_of_an_enterprise_has_the_members_of_a_real_one(new_region: Callable[..., Region]) -> None:
    region = new_region("a")
    farm = Producer(region, "a")
    with farm.read() as tx:
        document = json.loads(enterprise_document(farm.federation, tx, farm.id))
    kinds = {name: type(value) for name, value in document.items()}
    assert kinds == {name: type(value) for name, value in authority_document().items()}


def terms_of(value: Any) -> Iterator[str]:
    """Yields the terms that no context of DFC defines, at any depth; keys that are ids, and rows of a move, are no
    terms.
    """
    if isinstance(value, list):
        for part in value:
            yield from terms_of(part)
    if isinstance(value, dict):
        for name, part in value.items():
            term = name.removeprefix(f"{ENVELOPE_CONTEXT}#")
            if not term.startswith(("@", "dfc-")) and term not in ("type", "id"):
                yield term
            if term not in ("rows", "renamed"):
                yield from terms_of(part)


@every_type
def test_what_is_written_is_read_again(name: str) -> None:
    body = example(name)
    envelope = read_envelope(read_json(body, 1024 * 1024), body)
    origin, base = (HUB, FARM) if envelope.actor.startswith(HUB) else (FARM, HUB)
    read_body = TYPES[name].read(envelope.object, Reading(base, origin))
    writing = Writing(origin, base)
    assert TYPES[name].write(read_body, writing) == TYPES[name].write(BODIES[name], writing)


@every_type
def test_no_term_is_lost_when_json_ld_is_read(name: str) -> None:
    """Neither of the envelope nor of the DFC document in it."""
    assert f"{ENVELOPE_CONTEXT}#object" in expand(json.loads(example(name)))


def test_no_term_of_an_enterprises_document_is_lost_either() -> None:
    assert f"{ENVELOPE_CONTEXT}#authorityEpoch" in expand(authority_document())


def test_the_document_of_an_instance_is_a_controlled_identifier_document() -> None:
    iri = f"{FARM}/.well-known/commensal"
    node = expand(instance_document())
    assert (node["@id"], node["@type"]) == (iri, [f"{ENVELOPE_CONTEXT}#Instance"])
    keys = node["https://w3id.org/security#assertionMethod"]
    assert [key["@id"] for key in keys] == [f"{iri}#k1", f"{iri}#k2"]
    assert all(key["https://w3id.org/security#controller"] == [{"@id": iri}] for key in keys)
    (ended,) = node[f"{ENVELOPE_CONTEXT}#oldKeys"]
    assert "https://w3id.org/security#revoked" in ended
    ((key_set,), (inbox,)) = (node[f"{ENVELOPE_CONTEXT}#{term}"] for term in ("keySet", "inbox"))
    assert key_set[f"{ENVELOPE_CONTEXT}#root"][0]["@type"] == ["https://w3id.org/security#Multikey"]
    assert inbox == {"@id": f"{FARM}/-/federation/inbox"}


def test_the_end_of_a_key_is_the_one_of_the_standard() -> None:
    """Our own term `expires`, of messages, does not stand in its way."""
    document = instance_document()
    document["oldKeys"][0]["expires"] = document["published"]
    (ended,) = expand(document)[f"{ENVELOPE_CONTEXT}#oldKeys"]
    assert "https://w3id.org/security#expiration" in ended


def test_the_statement_of_the_page_is_json_ld_and_another_implementation_verifies_it() -> None:
    assert f"{ENVELOPE_CONTEXT}#soldTo" in expand(offer_statement())
    check_proof(offer_statement(), Peer(instance_document()).keys)
    with pytest.raises(Unproven):
        check_proof({**offer_statement(), "price": 1}, Peer(instance_document()).keys)


def controlled_identifiers() -> dict[str, Any]:
    """Returns the terms of the context of Controlled Identifiers 1.0 (W3C, section 4) that instances may use."""
    security, date_time = "https://w3id.org/security#", "http://www.w3.org/2001/XMLSchema#dateTime"
    every_node = {"@protected": True, "id": "@id", "type": "@type"}
    controller = {"@id": f"{security}controller", "@type": "@id"}
    key = {
        "controller": controller,
        "revoked": {"@id": f"{security}revoked", "@type": date_time},
        "expires": {"@id": f"{security}expiration", "@type": date_time},
        "publicKeyMultibase": {"@id": f"{security}publicKeyMultibase", "@type": f"{security}multibase"},
    }
    also_known_as = "https://www.w3.org/ns/activitystreams#alsoKnownAs"
    terms = {
        "alsoKnownAs": {"@id": also_known_as, "@type": "@id", "@container": "@set"},
        "assertionMethod": {"@id": f"{security}assertionMethod", "@type": "@id", "@container": "@set"},
        "controller": controller,
        "verificationMethod": {"@id": f"{security}verificationMethod", "@type": "@id"},
        "Multikey": {"@id": f"{security}Multikey", "@context": {**every_node, **key}},
    }
    return {"@context": {**every_node, **terms}}


def expand(document: Any) -> Any:
    """Returns the one node, with the IRIs of its terms; fails if a context does not define one."""
    contexts = {iri: CONTEXTS[iri] for iri in (DFC_CONTEXT, ENVELOPE_CONTEXT)}
    loader = FrozenDocumentLoader({**contexts, CID_CONTEXT: controlled_identifiers()})
    dropped: list[Any] = []
    options = {"documentLoader": loader, "base": ""}
    (node,) = jsonld.expand(document, options, on_property_dropped=dropped.append)
    assert dropped == []
    return node
