"""Attacks on signed documents. Each is refused, and each would succeed without its defence.

The numbers are those of the list of attacks in federation/ATTACKS.md; the sources are named there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commensal_federation.signing import BadProof, PublicKey, SigningKey, Unreadable, profile, proof, read_json, sign
from commensal_federation.signing.keys import to_multibase
from commensal_federation.signing.profile import canonical
from commensal_federation.signing.proof import verify

NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
ACTOR = "https://hub-a.example/.well-known/commensal"
KEY = SigningKey.generate(f"{ACTOR}#k1")
CONTEXT = ["https://commensal.example/ns/federation/v1"]
DFC = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
EVIL = "https://evil.example/context"
SAID: dict[str, Any] = {
    "@context": CONTEXT,
    "id": "https://hub-a.example/-/federation/messages/1",
    "type": "StockLevel",
    "actor": ACTOR,
    "seq": 17,
    "to": "https://hub-b.example/.well-known/commensal",
    "object": {
        "@context": DFC,
        "@id": "https://hub-a.example/api/dfc/orders/1",
        "hasPart": {"@id": "https://hub-a.example/api/dfc/orders/1/lines/1", "stockLimitation": "12"},
    },
}
GENUINE = sign(SAID, KEY, NOW)


def do_nothing(*_: Any) -> None:
    """Replaces a check, to show that the attack succeeds without it."""


@dataclass(frozen=True)
class Attack:
    """`defences` are the functions of `proof` that stop the attack, with their replacements."""

    number: int
    name: str
    document: Mapping[str, Any]
    code: str
    defences: Mapping[str, Any]
    key: PublicKey = KEY.public
    now: datetime = NOW

    def __str__(self) -> str:
        return f"{self.number}-{self.name.replace(' ', '-')}"

    def run(self) -> str:
        return verify(deepcopy(self.document), {KEY.id: self.key}, self.now, context=CONTEXT, inside=[DFC])


def with_members(**members: Any) -> dict[str, Any]:
    """Returns the genuine document with other members under its genuine proof; None removes a member."""
    document = {**deepcopy(GENUINE), **members}
    return {name: value for name, value in document.items() if value is not None}


def with_object(**members: Any) -> dict[str, Any]:
    return with_members(object={**SAID["object"], **members})


def with_proof(**members: Any) -> dict[str, Any]:
    """Returns the document correctly signed over these options."""
    key, options = KEY, {name: value for name, value in GENUINE["proof"].items() if name != "proofValue"}
    options = {name: value for name, value in {**options, **members}.items() if value is not None}
    signature = to_multibase(key.sign(proof._hashes(canonical(SAID), options)))
    return {**SAID, "proof": {**options, "proofValue": signature}}


def signed_with(**members: Any) -> dict[str, Any]:
    """Returns the document with other members, correctly signed."""
    return sign({**SAID, **members}, KEY, NOW)


# ------------------------------------------------------------------------------------------------ what others sign


def known_terms(document: Mapping[str, Any]) -> bytes:
    """Canonicalises as RDF does: signs only the members that the context defines."""
    defined_terms = {"@context", "id", "type", "actor", *GENUINE["proof"]}
    return canonical({name: value for name, value in document.items() if name in defined_terms})


def loose_facts(document: Mapping[str, Any]) -> bytes:
    """Canonicalises as RDF may: facts without their place in the document, at any depth."""

    def facts(value: Any, name: str = "") -> list[str]:
        if isinstance(value, list):
            return [fact for item in value for fact in facts(item, name)]
        if isinstance(value, dict):
            return [fact for key, item in value.items() for fact in facts(item, "" if key.startswith("@") else key)]
        return [f"{name}={json.dumps(value)}"] if name else []

    return "\n".join(sorted(facts(document))).encode()


def as_the_suite_reads(document: Mapping[str, Any]) -> bytes:
    """Canonicalises as the suite's text says: the context comes from the proof, so the document's may be longer."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    return canonical({**unsigned, "@context": document["proof"]["@context"]})


def first_of_several(document: Mapping[str, Any]) -> Any:
    return document["proof"][0]


RDF = {"canonical": known_terms, "_refuse_other_contexts": do_nothing}
LOOSE = {"canonical": loose_facts, "_refuse_other_contexts": do_nothing}
CONTEXTS = {"_refuse_other_contexts": do_nothing}
TIMES = {"_refuse_times": do_nothing}
OPTIONS = {"_refuse_other_option": do_nothing}
REROOTED = {
    **{name: value for name, value in SAID.items() if name != "object"},
    "object": {**SAID["object"]["hasPart"], "@context": DFC, "@included": [{"@id": SAID["object"]["@id"]}]},
}

ATTACKS = [
    Attack(
        16,
        "a revoked key and an old date",
        GENUINE,
        "revoked_key",
        {"_refuse_ended_key": do_nothing},
        key=replace(KEY.public, revoked_at=NOW + timedelta(days=1)),
        now=NOW + timedelta(days=1),
    ),
    Attack(
        16,
        "an expired key and an old date",
        GENUINE,
        "expired_key",
        {"_refuse_ended_key": do_nothing},
        key=replace(KEY.public, expires=NOW + timedelta(days=1)),
        now=NOW + timedelta(days=2),
    ),
    Attack(20, "a number changed", with_members(seq=999), "wrong_signature", RDF),
    Attack(20, "another addressee", with_members(to="https://hub-c.example/"), "wrong_signature", RDF),
    Attack(20, "stock changed", with_object(hasPart={"stockLimitation": "9999"}), "wrong_signature", RDF),
    Attack(20, "a member that no context defines", with_members(discount="100"), "wrong_signature", RDF),
    Attack(21, "a member removed", with_members(seq=None), "wrong_signature", RDF),
    Attack(21, "an order that lost its line", with_object(hasPart={}), "wrong_signature", RDF),
    Attack(21, "re-rooted by @included", {**REROOTED, "proof": GENUINE["proof"]}, "wrong_signature", LOOSE),
    Attack(
        21,
        "re-rooted by @graph",
        with_members(object={"@context": DFC, "@graph": [SAID["object"]["hasPart"]]}),
        "wrong_signature",
        LOOSE,
    ),
    Attack(
        21,
        "turned round by @reverse",
        with_object(hasPart={}, **{"@reverse": {"isPartOf": SAID["object"]["hasPart"]}}),
        "wrong_signature",
        LOOSE,
    ),
    Attack(
        22,
        "a context appended",
        with_members(**{"@context": [*CONTEXT, EVIL]}),
        "other_context",
        {**CONTEXTS, "_refuse_other_proof_context": do_nothing, "_without_proof": as_the_suite_reads},
    ),
    Attack(22, "a context replaced", signed_with(**{"@context": [EVIL]}), "other_context", CONTEXTS),
    Attack(
        22,
        "a context redefined inline",
        signed_with(**{"@context": [*CONTEXT, {"seq": "https://evil.example/"}]}),
        "other_context",
        CONTEXTS,
    ),
    Attack(
        22,
        "an unknown context in the object",
        signed_with(object={**SAID["object"], "@context": EVIL}),
        "other_context",
        CONTEXTS,
    ),
    Attack(
        22,
        "a context deeper down",
        signed_with(object={**SAID["object"], "hasPart": {"@context": EVIL}}),
        "other_context",
        CONTEXTS,
    ),
    Attack(
        22,
        "a proof for another context",
        with_proof(**{"@context": [*CONTEXT, EVIL]}),
        "other_context",
        {"_refuse_other_proof_context": do_nothing},
    ),
    Attack(23, "signed in the future", with_proof(created="2099-01-01T00:00:00Z"), "future", TIMES),
    Attack(23, "a proof that has expired", with_proof(expires="2026-06-04T09:59:59Z"), "expired", TIMES),
    Attack(23, "for another purpose", with_proof(proofPurpose="authentication"), "other_proofPurpose", OPTIONS),
    Attack(23, "an unknown suite", with_proof(cryptosuite="eddsa-rdfc-2022"), "other_cryptosuite", OPTIONS),
    Attack(23, "an unknown type", with_proof(type="Ed25519Signature2020"), "other_type", OPTIONS),
    Attack(
        23,
        "several proofs",
        with_members(proof=[GENUINE["proof"], {"by": "anybody"}]),
        "not_one_proof",
        {"read_proof": first_of_several, "_refuse_other_proof_context": do_nothing},
    ),
    Attack(
        23,
        "an unknown member of the proof",
        with_proof(domain="hub-c.example"),
        "unknown_member",
        {"_refuse_unknown_members": do_nothing},
    ),
    Attack(
        24,
        "in the name of another",
        signed_with(actor="https://hub-b.example/.well-known/commensal"),
        "foreign_key",
        {"_refuse_other_origins": do_nothing},
    ),
    Attack(
        25,
        "under an id of another",
        signed_with(id="https://hub-b.example/-/federation/messages/1"),
        "foreign_id",
        {"_refuse_other_origins": do_nothing},
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_is_refused(attack: Attack) -> None:
    with pytest.raises(BadProof) as refused:
        attack.run()

    assert refused.value.code == attack.code


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_without_its_defence_the_attack_would_succeed(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    document = attack.document
    for name, without in attack.defences.items():
        monkeypatch.setattr(proof, name, without)
    if "canonical" in attack.defences:  # whoever verifies in that way also signs so
        document = {**document, "proof": sign(SAID, KEY, NOW)["proof"]}

    assert replace(attack, document=document).run() == KEY.id


# ------------------------------------------------------------------------------------------------ 28: JSON


JSON = [
    ("a key twice", b'{"a": 1, "a": 2}', "twice", {"_refuse_duplicate_keys": dict}),
    ("an inner key twice", b'{"a": [{"b": 1, "b": 1}]}', "twice", {"_refuse_duplicate_keys": dict}),
    ("2^53 + 1", b'{"a": 9007199254740993}', "number", {"_refuse_unsafe_integer": do_nothing}),
    ("minus 2^53", b'{"a": -9007199254740992}', "number", {"_refuse_unsafe_integer": do_nothing}),
    ("a fraction", b'{"a": 0.1}', "number", {"refuse_beyond_profile": do_nothing}),
    ("1.0 for 1", b'{"a": 1.0}', "number", {"refuse_beyond_profile": do_nothing}),
    ("1e2", b'{"a": 1e2}', "number", {"refuse_beyond_profile": do_nothing}),
    ("NaN", b'{"a": NaN}', "number", {"refuse_beyond_profile": do_nothing}),
    ("Infinity", b'{"a": [-Infinity]}', "number", {"refuse_beyond_profile": do_nothing}),
    ("half of a pair", b'{"a": "\\ud800"}', "surrogate", {"_refuse_lone_surrogates": do_nothing}),
    ("half of a pair in a key", b'{"\\udc00": 1}', "surrogate", {"_refuse_lone_surrogates": do_nothing}),
    ("a key beyond the BMP", '{"\U0001f345": 1}'.encode(), "key", {"_refuse_key": do_nothing}),
    ("nested too deep", b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "too_deep", {"_refuse_depth": do_nothing}),
]


@pytest.mark.parametrize(("body", "code"), [attack[1:3] for attack in JSON], ids=[attack[0] for attack in JSON])
def test_28_json_that_parsers_read_differently_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_json(body, 1000)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("body", "defences"), [(attack[1], attack[3]) for attack in JSON], ids=[attack[0] for attack in JSON]
)
def test_28_without_the_profile_it_would_be_read(
    body: bytes, defences: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, without in defences.items():
        monkeypatch.setattr(profile, name, without)

    assert read_json(body, 1000)


NO_JSON = {
    "empty": b"",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "half": b"{",
    "octal": b'{"a": 01}',
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": b"\xff\xfe{\x00}\x00",
    "digits": b'{"a": %s}' % (b"9" * 9000),
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
def test_28_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read_json(body, 1_000_000)


def test_28_what_is_too_large_is_not_even_read() -> None:
    with pytest.raises(Unreadable, match="too_large"):
        read_json(b"{" * 1001, 1000)
