"""Another instance's document is read as CID 1.0 says, and replaces an older one only by its root key.

Attacks have the numbers of the list in federation/ATTACKS.md; each would succeed without its defence.
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
from commensal_federation.identity.read import CONTEXT, BadDocument
from commensal_federation.signing import SigningKey, canonical, sign
from commensal_federation.signing.profile import write_moment

NOW = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
HUB, EVIL = (f"https://{host}.example/.well-known/commensal" for host in ("hub", "evil"))
KEYS = {name: SigningKey.generate(f"{HUB}#{name}") for name in ("root", "k1", "k2", "k3", "other")}


def method(name: str, *, iri: str = HUB, controller: str = "", **members: str) -> dict[str, str]:
    method = {"id": f"{iri}#{name}", "type": "Multikey", "controller": controller or iri}
    return {**method, "publicKeyMultibase": KEYS[name].public.multikey, **members}


def signed(document: dict[str, Any], by: str, iri: str, at: datetime) -> dict[str, Any]:
    return sign(document, SigningKey(f"{iri}#{'root' if by == 'other' else by}", KEYS[by].private), at)


def a_document(
    *,
    iri: str = HUB,
    methods: list[dict[str, str]] | None = None,
    assertion_methods: list[dict[str, str]] | None = None,
    old_keys: list[dict[str, str]] | None = None,
    signer: str = "k1",
    root: str = "root",
    set_signer: str = "root",
    at: datetime = NOW,
    key_set: Mapping[str, Any] = {},
    **changes: Any,
) -> dict[str, Any]:
    """Returns a document with a valid proof, whatever its members."""
    methods = methods or [method("k1", iri=iri), method("k2", iri=iri)]
    keys = {
        "@context": CONTEXT,
        "id": f"{iri}#keys",
        "type": "KeySet",
        "controller": iri,
        "version": 1,
        "published": write_moment(NOW),
        "root": {**method("root", iri=iri), "publicKeyMultibase": KEYS[root].public.multikey},
        "assertionMethod": methods,
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
        "assertionMethod": methods if assertion_methods is None else assertion_methods,
        "oldKeys": old_keys or [],
        "keySet": signed(keys, set_signer, iri, NOW),
        "published": write_moment(at),
        "validUntil": write_moment(at + timedelta(days=7)),
        **changes,
    }
    return signed(document, signer, iri, at)


def read_by_hub(document: dict[str, Any], url: str = HUB, now: datetime = NOW) -> InstanceDocument:
    return read_document(canonical(document), url, now)


def test_a_genuine_document_is_read() -> None:
    document = read_by_hub(a_document(old_keys=[{**method("k3", revoked="2026-06-01T00:00:00Z"), "reason": "stolen"}]))

    assert (document.iri, document.name, document.version) == (HUB, "Hub", 1)
    assert document.inbox == "https://hub.example/-/federation/inbox"
    assert set(document.keys) == {f"{HUB}#k1", f"{HUB}#k2", f"{HUB}#k3"}
    assert document.keys[f"{HUB}#k1"].end_reason(NOW) == ""
    assert document.keys[f"{HUB}#k3"].end_reason(NOW) == "revoked"
    assert document.root.multikey == KEYS["root"].public.multikey


# ------------------------------------------------------------------------------------------------ 14 to 16


def do_nothing(*_: Any) -> None:
    """Replaces a check, to show that the attack succeeds without it."""


def trust_proof(document: Any, proof: Mapping[str, Any], *_: Any) -> str:
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


NAMES = {"_refuse_foreign_controller": do_nothing, "_refuse_foreign_key": do_nothing, "_refuse_foreign_set": do_nothing}
TIMES = {"_refuse_times": do_nothing}
CONTEXTS = {"_refuse_other_contexts": do_nothing}
PROOF = {"check_proof": trust_proof}
FOREIGN: dict[str, Any] = {"@context": [*CONTEXT, "https://evil.example/"]}
STOLEN = {**method("k1", revoked="2026-06-04T09:00:00Z"), "reason": "stolen"}

ATTACKS = [
    Attack(
        14,
        "a document of another address",
        a_document(),
        "other_address",
        {"_refuse_other_address": do_nothing, "_own_address": lambda declared, url: declared, **NAMES},
        url=EVIL,
    ),
    Attack(
        14,
        "a key that another controls",
        a_document(methods=[method("k1", controller=EVIL)]),
        "foreign_controller",
        {"_refuse_foreign_controller": do_nothing},
    ),
    Attack(
        14,
        "a key of another origin",
        a_document(methods=[method("k1"), method("k2", iri=EVIL, controller=HUB)]),
        "foreign_key",
        {"_refuse_foreign_key": do_nothing},
    ),
    Attack(
        14,
        "the set of keys of another",
        a_document(key_set={"id": f"{EVIL}#keys"}),
        "foreign_keys",
        {"_refuse_foreign_set": do_nothing},
    ),
    Attack(
        14, "signed by a key that is not listed", a_document(assertion_methods=[method("k2")]), "unknown_key", PROOF
    ),
    Attack(
        14,
        "a key that the root key does not know",
        a_document(assertion_methods=[method("k1"), method("k3")]),
        "unknown_method",
        {"_refuse_unknown_methods": do_nothing},
    ),
    Attack(
        14,
        "messages go to another host",
        a_document(inbox="https://evil.example/-/federation/inbox"),
        "foreign_address",
        {"_own_address": lambda declared, url: declared},
    ),
    Attack(
        14,
        "two keys of one name",
        a_document(old_keys=[method("k2", publicKeyMultibase=KEYS["k3"].public.multikey)]),
        "crowd",
        {"_refuse_ambiguous_keys": do_nothing},
    ),
    Attack(15, "a set of keys that another root has signed", a_document(set_signer="other"), "wrong_signature", PROOF),
    Attack(15, "a set of keys that a key has signed", a_document(set_signer="k1"), "unknown_key", PROOF),
    Attack(16, "signed by a key that it calls revoked", a_document(old_keys=[STOLEN]), "revoked_key", PROOF),
    Attack(
        16,
        "signed by a key that has expired",
        a_document(methods=[method("k1", expires="2026-06-04T09:00:00Z")]),
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
    Attack(22, "another context", a_document(**FOREIGN), "other_context", CONTEXTS),
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
        a_document(methods=[method("k1", **{"@context": "https://evil.example/"})]),
        "other_context",
        CONTEXTS,
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_attack_is_refused(attack: Attack) -> None:
    with pytest.raises(BadDocument) as refused:
        read_by_hub(attack.document, attack.url, attack.now)

    assert refused.value.code == attack.code


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_without_its_defence_the_attack_would_succeed(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, replacement in attack.defences.items():
        monkeypatch.setattr(read, name, replacement)

    assert read_by_hub(attack.document, attack.url, attack.now).iri == attack.url


# ------------------------------------------------------------------------------------------------ in place of another

PINNED = read_by_hub(a_document(old_keys=[{**method("k3", revoked="2026-06-01T00:00:00Z"), "reason": "stolen"}]))
OLD = [{**method("k3", revoked="2026-06-01T00:00:00Z"), "reason": "stolen"}]
LATER = NOW + timedelta(hours=1)
STRANGE = KEYS["other"].public.multikey

Change = Callable[[], dict[str, Any]]
GENUINE: dict[str, Change] = {
    "the same an hour later": lambda: a_document(at=LATER, old_keys=OLD),
    "signed by the other key": lambda: a_document(at=LATER, old_keys=OLD, signer="k2"),
    "with another name": lambda: a_document(at=LATER, old_keys=OLD, name="New name"),
    "a key is revoked by the other": lambda: a_document(
        at=LATER, assertion_methods=[method("k2")], old_keys=[*OLD, STOLEN], signer="k2"
    ),
}
FORGED: dict[str, tuple[Change, str]] = {
    "15-another-root": (
        lambda: a_document(at=LATER, old_keys=OLD, root="other", set_signer="other", key_set={"version": 9}),
        "_same_root",
    ),
    "15-another-set-of-the-same-version": (
        lambda: a_document(at=LATER, old_keys=OLD, key_set={"published": "2026-06-01T00:00:00Z"}),
        "_not_older",
    ),
    "15-an-older-document": (lambda: a_document(at=NOW - timedelta(hours=1), old_keys=OLD), "_not_older"),
    "16-a-revoked-key-comes-back": (
        lambda: a_document(at=LATER, methods=[method("k1"), method("k3")], key_set={"version": 2}),
        "_no_key_revived",
    ),
    "14-a-name-for-another-key": (
        lambda: a_document(
            at=LATER,
            old_keys=OLD,
            methods=[method("k1"), method("k2", publicKeyMultibase=STRANGE)],
            key_set={"version": 2},
        ),
        "_no_key_renamed",
    ),
}


@pytest.mark.parametrize("change", GENUINE.values(), ids=GENUINE.keys())
def test_a_newer_document_takes_the_place_of_the_pinned_one(change: Change) -> None:
    assert same_or_rotated(PINNED, read_by_hub(change(), now=LATER))


def test_the_root_key_may_add_and_drop_keys() -> None:
    newer = a_document(
        at=LATER, methods=[method("k2"), method("other")], old_keys=OLD, signer="k2", key_set={"version": 2}
    )

    assert same_or_rotated(PINNED, read_by_hub(newer, now=LATER))


@pytest.mark.parametrize(("change", "rule"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_document_waits_for_a_human(change: Change, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = read_by_hub(change(), now=LATER)

    assert not same_or_rotated(PINNED, newer)
    monkeypatch.setattr(read, rule, lambda pinned, newer: True)
    assert same_or_rotated(PINNED, newer)


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
@pytest.mark.parametrize(
    "value", [None, 7, [], {}, "", "x" * 501, [1], [{}], {"a": 1}], ids=lambda value: str(value)[:9]
)
def test_whatever_a_member_holds_the_answer_is_a_refusal(name: str, value: Any) -> None:
    if value == [] and name in ("oldKeys", "protocol"):
        assert read_by_hub(a_document(**{name: value}))
        return
    with pytest.raises(BadDocument):
        read_by_hub(a_document(**{name: value}))


@pytest.mark.parametrize("value", [None, 7, [], {}, "", [1], "https://evil.example/"], ids=str)
@pytest.mark.parametrize("name", ["id", "type", "controller", "publicKeyMultibase", "expires", "revoked"])
def test_whatever_a_key_holds_the_answer_is_a_refusal(name: str, value: Any) -> None:
    wrong_method: Any = {**method("k2"), name: value}

    for document in (a_document(methods=[method("k1"), wrong_method]), a_document(key_set={"root": wrong_method})):
        with pytest.raises(BadDocument):
            read_by_hub(document)
