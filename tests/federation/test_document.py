"""The document of another instance is read as CID 1.0 says, and takes an older one's place only by its root key.

Attacks have the numbers of the list in federation/README.md; each would succeed without the defence it is here for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commensal_federation.identity import InstanceDocument, read, read_document, same_or_rotated
from commensal_federation.identity.read import BadDocument
from commensal_federation.identity.values import CONTEXT
from commensal_federation.signing import SigningKey, canonical, sign
from commensal_federation.signing.moments import write_moment

NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
HUB, EVIL = (f"https://{host}.example/.well-known/commensal" for host in ("hub", "evil"))
KEYS = {name: SigningKey.generate(f"{HUB}#{name}") for name in ("root", "k1", "k2", "k3", "other")}


def method(name: str, *, iri: str = HUB, controller: str = "", **more: str) -> dict[str, str]:
    said = {"id": f"{iri}#{name}", "type": "Multikey", "controller": controller or iri}
    return {**said, "publicKeyMultibase": KEYS[name].public.multikey, **more}


def signed(document: dict[str, Any], by: str, iri: str, at: datetime) -> dict[str, Any]:
    return sign(document, SigningKey(f"{iri}#{'root' if by == 'other' else by}", KEYS[by].private), at)


def a_document(
    *,
    iri: str = HUB,
    known: list[dict[str, str]] | None = None,
    listed: list[dict[str, str]] | None = None,
    old: list[dict[str, str]] | None = None,
    signer: str = "k1",
    root: str = "root",
    set_signer: str = "root",
    at: datetime = NOW,
    key_set: Mapping[str, Any] = {},
    **changes: Any,
) -> dict[str, Any]:
    """A document that proves itself, whatever it says."""
    known = known or [method("k1", iri=iri), method("k2", iri=iri)]
    keys = {
        "@context": CONTEXT,
        "id": f"{iri}#keys",
        "type": "KeySet",
        "controller": iri,
        "version": 1,
        "published": write_moment(NOW),
        "root": {**method("root", iri=iri), "publicKeyMultibase": KEYS[root].public.multikey},
        "assertionMethod": known,
        **key_set,
    }
    base = iri.removesuffix("/.well-known/commensal")
    document = {
        "@context": CONTEXT,
        "id": iri,
        "type": "Instance",
        "name": "Hub",
        "protocol": ["commensal-fed/1"],
        **{name: f"{base}/-/federation/{name}" for name in ("inbox", "outbox", "ask")},
        "assertionMethod": known if listed is None else listed,
        "oldKeys": old or [],
        "keySet": signed(keys, set_signer, iri, NOW),
        "published": write_moment(at),
        "validUntil": write_moment(at + timedelta(days=7)),
        **changes,
    }
    return signed(document, signer, iri, at)


def reading(document: dict[str, Any], url: str = HUB, now: datetime = NOW) -> InstanceDocument:
    return read_document(canonical(document), url, now)


def test_a_genuine_document_is_read() -> None:
    found = reading(a_document(old=[{**method("k3", revoked="2026-06-01T00:00:00Z"), "reason": "stolen"}]))

    assert (found.iri, found.name, found.version) == (HUB, "Hub", 1)
    assert found.inbox == "https://hub.example/-/federation/inbox"
    assert set(found.keys) == {f"{HUB}#k1", f"{HUB}#k2", f"{HUB}#k3"}
    assert found.keys[f"{HUB}#k1"].end_reason(NOW) == ""
    assert found.keys[f"{HUB}#k3"].end_reason(NOW) == "revoked"
    assert found.root.multikey == KEYS["root"].public.multikey


# ------------------------------------------------------------------------------------------------ 14 to 16


def nothing(*_: Any) -> None:
    """What is left of a check that is taken out."""


def taken_at_its_word(document: Any, proof: Mapping[str, Any], *_: Any) -> str:
    return str(proof["verificationMethod"])


@dataclass(frozen=True)
class Attack:
    number: int
    name: str
    document: dict[str, Any]
    code: str
    defences: Mapping[str, Any]
    url: str = HUB
    now: datetime = field(default=NOW)

    def __str__(self) -> str:
        return f"{self.number}-{self.name.replace(' ', '-')}"


NAMES = {"_refuse_foreign_controller": nothing, "_refuse_foreign_key": nothing, "_refuse_foreign_set": nothing}
TIMES = {"_refuse_times": nothing}
CONTEXTS = {"_refuse_other_contexts": nothing}
PROOF = {"check_proof": taken_at_its_word}
FOREIGN: dict[str, Any] = {"@context": [*CONTEXT, "https://evil.example/"]}
STOLEN = {**method("k1", revoked="2026-06-04T09:00:00Z"), "reason": "stolen"}

ATTACKS = [
    Attack(
        14,
        "a document of another address",
        a_document(),
        "other_address",
        {"_refuse_other_address": nothing, "_own_address": lambda said, url: said, **NAMES},
        url=EVIL,
    ),
    Attack(
        14,
        "a key that another controls",
        a_document(known=[method("k1", controller=EVIL)]),
        "foreign_controller",
        {"_refuse_foreign_controller": nothing},
    ),
    Attack(
        14,
        "a key of another origin",
        a_document(known=[method("k1"), method("k2", iri=EVIL, controller=HUB)]),
        "foreign_key",
        {"_refuse_foreign_key": nothing},
    ),
    Attack(
        14,
        "the set of keys of another",
        a_document(key_set={"id": f"{EVIL}#keys"}),
        "foreign_keys",
        {"_refuse_foreign_set": nothing},
    ),
    Attack(14, "signed by a key that is not listed", a_document(listed=[method("k2")]), "unknown_key", PROOF),
    Attack(
        14,
        "a key that the root key does not know",
        a_document(listed=[method("k1"), method("k3")]),
        "unknown_method",
        {"_refuse_unknown_methods": nothing},
    ),
    Attack(
        14,
        "messages go to another host",
        a_document(inbox="https://evil.example/-/federation/inbox"),
        "foreign_address",
        {"_own_address": lambda said, url: said},
    ),
    Attack(
        14,
        "two keys of one name",
        a_document(old=[method("k2", publicKeyMultibase=KEYS["k3"].public.multikey)]),
        "crowd",
        {"_refuse_ambiguous_keys": nothing},
    ),
    Attack(15, "a set of keys that another root has signed", a_document(set_signer="other"), "wrong_signature", PROOF),
    Attack(15, "a set of keys that a key has signed", a_document(set_signer="k1"), "unknown_key", PROOF),
    Attack(16, "signed by a key that it calls revoked", a_document(old=[STOLEN]), "revoked_key", PROOF),
    Attack(
        16,
        "signed by a key that has expired",
        a_document(known=[method("k1", expires="2026-06-04T09:00:00Z")]),
        "expired_key",
        PROOF,
    ),
    Attack(4, "an old document", a_document(), "expired", TIMES, now=NOW + timedelta(days=7, seconds=1)),
    Attack(
        4,
        "an old document that says it is good for ever",
        a_document(validUntil="2099-01-01T00:00:00Z"),
        "expired",
        TIMES,
        now=NOW + timedelta(days=8),
    ),
    Attack(
        4, "a document of tomorrow", a_document(at=NOW + timedelta(minutes=2)), "future", {**TIMES, **PROOF}, now=NOW
    ),
    Attack(
        22,
        "another context",
        a_document(**FOREIGN),
        "other_context",
        CONTEXTS,
    ),
    Attack(
        22,
        "another context of the set",
        a_document(key_set={"@context": ["https://evil.example/"]}),
        "other_context",
        CONTEXTS,
    ),
    Attack(
        22,
        "a context within",
        a_document(known=[method("k1", **{"@context": "https://evil.example/"})]),
        "other_context",
        CONTEXTS,
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_is_refused(attack: Attack) -> None:
    with pytest.raises(BadDocument) as refused:
        reading(attack.document, attack.url, attack.now)

    assert refused.value.code == attack.code


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_without_its_defence_the_attack_would_succeed(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, without in attack.defences.items():
        monkeypatch.setattr(read, name, without)

    assert reading(attack.document, attack.url, attack.now).iri == attack.url


# ------------------------------------------------------------------------------------------------ in place of another

PINNED = reading(a_document(old=[{**method("k3", revoked="2026-06-01T00:00:00Z"), "reason": "stolen"}]))
OLD = [{**method("k3", revoked="2026-06-01T00:00:00Z"), "reason": "stolen"}]
LATER = NOW + timedelta(hours=1)
STRANGE = KEYS["other"].public.multikey

Change = Callable[[], dict[str, Any]]
GENUINE: dict[str, Change] = {
    "the same an hour later": lambda: a_document(at=LATER, old=OLD),
    "signed by the other key": lambda: a_document(at=LATER, old=OLD, signer="k2"),
    "with another name": lambda: a_document(at=LATER, old=OLD, name="New name"),
    "a key is revoked by the other": lambda: a_document(
        at=LATER, listed=[method("k2")], old=[*OLD, STOLEN], signer="k2"
    ),
}
FORGED: dict[str, tuple[Change, str]] = {
    "15-another-root": (
        lambda: a_document(at=LATER, old=OLD, root="other", set_signer="other", key_set={"version": 9}),
        "_same_root",
    ),
    "15-another-set-of-the-same-version": (
        lambda: a_document(at=LATER, old=OLD, key_set={"published": "2026-06-01T00:00:00Z"}),
        "_not_older",
    ),
    "15-an-older-document": (lambda: a_document(at=NOW - timedelta(hours=1), old=OLD), "_not_older"),
    "16-a-revoked-key-comes-back": (
        lambda: a_document(at=LATER, known=[method("k1"), method("k3")], key_set={"version": 2}),
        "_no_key_revived",
    ),
    "14-a-name-for-another-key": (
        lambda: a_document(
            at=LATER, old=OLD, known=[method("k1"), method("k2", publicKeyMultibase=STRANGE)], key_set={"version": 2}
        ),
        "_no_key_renamed",
    ),
}


@pytest.mark.parametrize("change", GENUINE.values(), ids=GENUINE.keys())
def test_a_newer_document_takes_the_place_of_the_pinned_one(change: Change) -> None:
    assert same_or_rotated(PINNED, reading(change(), now=LATER))


def test_the_root_key_may_add_and_drop_keys() -> None:
    new = a_document(at=LATER, known=[method("k2"), method("other")], old=OLD, signer="k2", key_set={"version": 2})

    assert same_or_rotated(PINNED, reading(new, now=LATER))


@pytest.mark.parametrize(("change", "rule"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_document_waits_for_a_human(change: Change, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    new = reading(change(), now=LATER)

    assert not same_or_rotated(PINNED, new)
    monkeypatch.setattr(read, rule, lambda pinned, new: True)
    assert same_or_rotated(PINNED, new)


# ------------------------------------------------------------------------------------------------ every bit

WRITTEN = canonical(a_document())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(WRITTEN) * 8 - 1))
def test_no_bit_of_a_document_can_be_changed(bit: int) -> None:
    content = bytearray(WRITTEN)
    content[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadDocument):
        read_document(bytes(content), HUB, NOW)


@pytest.mark.parametrize("name", [name for name in a_document() if name != "proof"])
@pytest.mark.parametrize("value", [None, 7, [], {}, "", "x" * 501, [1], [{}], {"a": 1}], ids=lambda one: str(one)[:9])
def test_whatever_a_member_holds_the_answer_is_a_refusal(name: str, value: Any) -> None:
    if value == [] and name in ("oldKeys", "protocol"):
        assert reading(a_document(**{name: value}))
        return
    with pytest.raises(BadDocument):
        reading(a_document(**{name: value}))


@pytest.mark.parametrize("value", [None, 7, [], {}, "", [1], "https://evil.example/"], ids=str)
@pytest.mark.parametrize("name", ["id", "type", "controller", "publicKeyMultibase", "expires", "revoked"])
def test_whatever_a_key_holds_the_answer_is_a_refusal(name: str, value: Any) -> None:
    wrong: Any = {**method("k2"), name: value}

    for document in (a_document(known=[method("k1"), wrong]), a_document(key_set={"root": wrong})):
        with pytest.raises(BadDocument):
            reading(document)
