"""The keys of an instance: created once, readable by their owner only, rotated in time, revoked for good."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, table, text

from commensal import Conflict, Instance, NotFound, Transaction
from commensal.base.clock import ManualClock
from commensal.instance import InstanceSettings
from commensal_federation.identity import (
    InstanceDocument,
    begin_identity,
    current_key,
    fingerprint_of,
    instance_document,
    read_document,
    same_or_rotated,
)
from commensal_federation.identity.document import did_document
from commensal_federation.identity.keys import Key, our_keys, root_key
from commensal_federation.identity.rotation import PUBLISHED_BEFORE_USE, VALID_AFTER_USE, renew_key_set, revoke, rotate
from commensal_federation.runtime import Federation, federation_of
from commensal_federation.signing import BadProof, SigningKey, canonical, sign, verify
from commensal_federation.warnings import health_reasons, key_warnings

CONTEXT = ["https://commensal.example/ns/federation/v1"]


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, base_url="https://hub.example:8443", plugins={"enabled": ["federation"]})


class Hub:
    """An instance with keys, and what others read of it."""

    def __init__(self, instance: Instance, clock: ManualClock) -> None:
        self.federation: Federation = federation_of(instance)
        self.instance, self.clock = instance, clock
        self.folder = instance.folder / "keys"

    def do(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.instance.store.transact(lambda tx: action(self.federation, tx, *args, **kwargs))

    def ask(self, question: Callable[[Transaction], Any]) -> Any:
        with self.instance.store.read() as tx:
            return question(tx)

    def written(self) -> bytes:
        return canonical(self.ask(lambda tx: instance_document(self.federation, tx)))

    def document(self) -> InstanceDocument:
        return read_document(self.written(), self.federation.iri, self.clock.now())

    def current(self) -> str:
        return self.signing().id.partition("#")[2]

    def signing(self) -> SigningKey:
        key: SigningKey = self.ask(lambda tx: current_key(self.federation, tx))
        return key

    def keys(self) -> dict[str, Key]:
        return {key.name: key for key in self.ask(our_keys)}

    def warnings(self) -> str:
        return "\n".join(self.ask(lambda tx: [str(warning) for warning in key_warnings(self.federation, tx)]))

    def why_degraded(self) -> str:
        """What /-/health says of the plugin."""
        return "\n".join(self.ask(lambda tx: [str(problem) for problem in health_reasons(tx, self.instance)]))

    def take_root_away(self) -> SigningKey:
        root: SigningKey = self.ask(lambda tx: root_key(self.federation, tx))
        (self.folder / "root.key").unlink()
        return root


def run_in_parallel(count: int, action: Callable[[], object]) -> None:
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        action()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def hub(instance: Instance, clock: ManualClock) -> Hub:
    hub = Hub(instance, clock)
    assert begin_identity(hub.federation)
    return hub


# ------------------------------------------------------------------------------------------------ the first start


def test_the_first_start_makes_a_root_key_one_to_use_and_one_that_stands_by(hub: Hub) -> None:
    assert list(hub.keys()) == ["root", "k1", "k2"]
    assert hub.current() == "k1"
    assert set(hub.document().keys) == {f"{hub.federation.iri}#k1", f"{hub.federation.iri}#k2"}


def test_keys_are_for_their_owner_only(hub: Hub) -> None:
    assert hub.folder.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in hub.folder.iterdir()} == {
        "root.key": 0o600,
        "k1.key": 0o600,
        "k2.key": 0o600,
    }


def test_another_start_changes_nothing(hub: Hub) -> None:
    keys_before = hub.keys()

    assert not begin_identity(hub.federation)
    assert hub.keys() == keys_before


def test_starts_side_by_side_make_one_set_of_keys(instance: Instance, clock: ManualClock) -> None:
    results = list[bool]()

    run_in_parallel(4, lambda: results.append(begin_identity(federation_of(instance))))

    assert sorted(results) == [False, False, False, True]
    assert Hub(instance, clock).document().version == 1
    assert len(list((instance.folder / "keys").iterdir())) == 3


def test_a_start_that_was_cut_short_goes_on_with_the_files_it_made(instance: Instance, clock: ManualClock) -> None:
    from commensal_federation.identity.keys import make_or_read

    half = make_or_read(instance.folder / "keys", "k1", "https://hub.example:8443/.well-known/commensal#k1")
    hub = Hub(instance, clock)

    assert begin_identity(hub.federation)
    assert hub.keys()["k1"].multikey == half.public.multikey


def test_without_keys_nothing_is_signed(instance: Instance, clock: ManualClock) -> None:
    hub = Hub(instance, clock)

    for action in (hub.signing, hub.written, lambda: hub.do(rotate), lambda: hub.do(revoke, "k1", "lost")):
        with pytest.raises(Conflict, match="keys init"):
            action()
    assert "has no key to sign with" in hub.warnings()


def test_nobody_is_told_to_make_new_keys_while_the_clock_is_behind(hub: Hub, clock: ManualClock) -> None:
    """Then those that are there are not in use yet."""
    clock.advance(days=-3)
    assert "no key" not in hub.warnings()


# ------------------------------------------------------------------------------------------------ the document


def test_the_document_reads_the_same_for_an_hour_and_is_never_older(hub: Hub) -> None:
    first_document, pinned = hub.written(), hub.document()
    hub.clock.advance(minutes=59)
    assert hub.written() == first_document
    hub.clock.advance(minutes=1)
    assert hub.document().published - pinned.published == timedelta(hours=1)
    assert same_or_rotated(pinned, hub.document())


def test_with_the_root_key_away_the_document_stays_fresh(hub: Hub) -> None:
    pinned = hub.document()
    hub.take_root_away()
    hub.clock.advance(days=1000)

    document = hub.document()

    assert document.valid_until - hub.clock.now() == timedelta(days=7)
    assert same_or_rotated(pinned, document)


def test_the_same_keys_stand_in_a_did_web_document(hub: Hub) -> None:
    did_web = did_document(hub.ask(lambda tx: instance_document(hub.federation, tx)))

    assert did_web["id"] == "did:web:hub.example%3A8443"
    assert did_web["assertionMethod"] == ["did:web:hub.example%3A8443#k1", "did:web:hub.example%3A8443#k2"]
    assert [method["publicKeyMultibase"] for method in did_web["verificationMethod"]] == [
        hub.keys()[name].multikey for name in ("k1", "k2")
    ]


def test_a_fingerprint_is_eight_groups_of_digits_of_this_instance_and_its_root_key_alone() -> None:
    iri, root = "https://hub.example/.well-known/commensal", "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"

    fingerprint = fingerprint_of(iri, root)

    assert fingerprint == "74110 52260 85257 56875 85858 87607 99361 83257"
    assert fingerprint != fingerprint_of(iri.replace("hub", "hob"), root)
    assert fingerprint != fingerprint_of(iri, root.replace("Q2", "Q3"))


# ------------------------------------------------------------------------------------------------ rotation


def test_the_next_key_is_known_for_a_week_before_it_signs(hub: Hub) -> None:
    pinned = hub.document()
    hub.clock.advance(days=2)

    assert hub.do(rotate).name == "k2"
    hub.clock.advance(days=5, seconds=-1)
    assert hub.current() == "k1"
    hub.clock.advance(seconds=1)
    assert hub.current() == "k2"

    assert hub.clock.now() == hub.keys()["k2"].created_at + PUBLISHED_BEFORE_USE
    assert same_or_rotated(pinned, hub.document())
    assert f"{hub.federation.iri}#k3" in hub.document().keys


def test_what_an_old_key_signed_is_believed_for_two_months_and_then_known_as_old(hub: Hub) -> None:
    hub.clock.advance(days=30)
    hub.do(rotate)
    first_key = f"{hub.federation.iri}#k1"

    hub.clock.advance(seconds=VALID_AFTER_USE.total_seconds())
    assert hub.document().keys[first_key].end_reason(hub.clock.now()) == ""
    hub.clock.advance(seconds=1)
    assert hub.document().keys[first_key].end_reason(hub.clock.now()) == "expired"
    assert [key["id"] for key in hub.document().document["oldKeys"]] == [first_key]


def test_a_rotation_at_once_needs_no_root_key(hub: Hub) -> None:
    pinned = hub.document()
    hub.take_root_away()

    hub.do(rotate, at_once=True)

    assert hub.current() == "k2"
    assert same_or_rotated(pinned, hub.document())
    assert "No key stands by" in hub.warnings()
    with pytest.raises(Conflict, match="root key is not on this machine"):
        hub.do(rotate, at_once=True)


def test_a_planned_rotation_needs_the_root_key_which_may_be_typed_in(hub: Hub) -> None:
    hub.clock.advance(days=30)
    root = hub.take_root_away()

    with pytest.raises(Conflict, match="root key is not on this machine"):
        hub.do(rotate)
    with pytest.raises(Conflict, match="not the root key of this instance"):
        hub.do(rotate, root=SigningKey.generate(root.id))
    hub.do(rotate, root=SigningKey.read(root.id, root.secret()))

    assert hub.current() == "k2"
    assert not (hub.folder / "root.key").exists()
    assert hub.document().version == 2


def test_a_rotation_that_is_under_way_is_not_begun_again_but_may_be_hurried(hub: Hub) -> None:
    hub.do(rotate)

    with pytest.raises(Conflict, match="k2 is going to be used already"):
        hub.do(rotate)
    assert hub.do(rotate, at_once=True).name == "k2"
    assert hub.current() == "k2"


def test_rotations_side_by_side_come_one_after_the_other(hub: Hub) -> None:
    run_in_parallel(3, lambda: hub.do(rotate, at_once=True))

    assert hub.document().version == 4
    assert list(hub.keys()) == ["root", "k1", "k2", "k3", "k4", "k5"]


def test_ten_rotations_leave_a_document_that_everybody_follows(hub: Hub) -> None:
    pinned = hub.document()
    for _ in range(10):
        hub.clock.advance(days=100)
        hub.do(rotate)
        assert same_or_rotated(pinned, hub.document())
        pinned = hub.document()

    assert hub.current() == "k11"
    assert sum(not key.end_reason(hub.clock.now()) for key in hub.document().keys.values()) == 3


# ------------------------------------------------------------------------------------------------ revocation


def test_a_revoked_key_is_followed_at_once_and_cannot_backdate(hub: Hub) -> None:
    """Attack 16: the thief of a key signs with a date before its revocation."""
    message = {"@context": CONTEXT, "id": "https://hub.example:8443/1", "actor": hub.federation.iri, "object": {}}
    stolen, pinned = hub.signing(), hub.document()
    hub.clock.advance(days=1)
    hub.do(revoke, "k1", "stolen")
    backdated = sign(message, stolen, hub.clock.now() - timedelta(hours=12))

    document = hub.document()

    assert hub.current() == "k2"
    assert same_or_rotated(pinned, document)
    assert verify(backdated, pinned.keys, hub.clock.now(), context=CONTEXT)  # until they learn of it
    with pytest.raises(BadProof, match="revoked_key"):
        verify(backdated, document.keys, hub.clock.now(), context=CONTEXT)


def test_with_the_root_key_away_a_key_can_still_be_revoked(hub: Hub) -> None:
    pinned = hub.document()
    root = hub.take_root_away()

    hub.do(revoke, "k1", "stolen")
    document = hub.document()
    assert (hub.current(), document.version) == ("k2", 1)
    assert same_or_rotated(pinned, document)

    hub.do(renew_key_set, root=root)
    assert hub.document().version == 2
    assert same_or_rotated(document, hub.document())
    assert hub.warnings() == ""


def test_with_all_keys_revoked_the_root_key_makes_new_ones(hub: Hub) -> None:
    pinned = hub.document()
    hub.do(revoke, "k2", "lost")
    hub.do(revoke, "k1", "lost")

    assert hub.current() == "k3"
    assert same_or_rotated(pinned, hub.document())


def test_with_all_keys_and_the_root_key_gone_the_last_key_stays(hub: Hub) -> None:
    root = hub.take_root_away()
    hub.do(revoke, "k2", "lost")

    with pytest.raises(Conflict, match="root key is not on this machine"):
        hub.do(revoke, "k1", "lost")
    assert hub.current() == "k1"
    hub.do(revoke, "k1", "lost", root=root)
    assert hub.current() == "k3"


def test_a_key_is_revoked_once_and_the_root_key_never(hub: Hub) -> None:
    hub.do(revoke, "k1", "replaced")

    with pytest.raises(Conflict, match="revoked already"):
        hub.do(revoke, "k1", "stolen")
    for name in ("root", "k9"):
        with pytest.raises(NotFound):
            hub.do(revoke, name, "stolen")


# ------------------------------------------------------------------------------------------------ files and secrets


@pytest.fixture
def secrets(hub: Hub) -> set[str]:
    return {file.read_text().strip() for file in hub.folder.iterdir()}


def test_no_private_key_is_in_the_database(hub: Hub, secrets: set[str]) -> None:
    hub.do(rotate)
    with hub.instance.store.read() as tx:
        names = inspect(tx.connection).get_table_names()
        rows_text = "".join(
            str(row) for name in names for row in tx.execute(select(text("*")).select_from(table(name)))
        )

    assert hub.signing().public.multikey in rows_text
    assert not any(secret in rows_text for secret in secrets)


def test_a_missing_or_exchanged_file_is_told_and_nothing_is_signed_with_it(hub: Hub) -> None:
    file: Path = hub.folder / "k1.key"
    key_text = file.read_text()

    assert hub.why_degraded() == ""
    file.unlink()
    with pytest.raises(Conflict, match="is missing"):
        hub.signing()
    assert "k1.key is missing: put the folder keys back" in hub.why_degraded()
    assert "k1.key is missing: put the folder keys back" in hub.warnings()
    file.mkdir()  # root cannot read it either, as if it belonged to another user
    assert "k1.key cannot be read: Is a directory. Its key is good" in hub.warnings()
    file.rmdir()
    file.write_text((hub.folder / "k2.key").read_text())
    with pytest.raises(Conflict, match="another key than the one that others know"):
        hub.signing()
    file.write_text("nonsense")
    with pytest.raises(Conflict, match="holds no key") as refused:
        hub.signing()
    assert "nonsense" not in str(refused.value)
    file.write_text(key_text)
    assert hub.current() == "k1"


def test_what_does_not_stand_well_is_told(hub: Hub) -> None:
    assert hub.warnings() == ""
    (hub.folder / "k2.key").chmod(0o640)
    assert "chmod 600" in hub.warnings()
    (hub.folder / "k2.key").chmod(0o600)
    hub.clock.advance(days=8)
    assert "The root key still lies in" in hub.warnings()
    hub.take_root_away()
    hub.clock.advance(days=365)
    assert "k1 has been in use since 2026-06-04" in hub.warnings()


def test_a_document_fits_into_an_invitation_however_often_its_keys_have_changed(hub: Hub) -> None:
    pinned = hub.document()
    for _ in range(60):
        hub.do(rotate, at_once=True)
        hub.clock.advance(days=9)
        assert same_or_rotated(pinned, hub.document()), "each document follows the one before"
        pinned = hub.document()
    assert len(hub.written()) <= 12 * 1024


def test_a_revoked_key_that_the_set_still_has_is_listed_for_ever(hub: Hub) -> None:
    """Else a thief of it could let it live again, since the set that the root key has signed still names it."""
    stolen = hub.current()
    (hub.folder / "root.key").unlink()
    hub.do(revoke, stolen, "stolen")
    for _ in range(20):
        hub.clock.advance(days=9)
    document = hub.document().document
    assert stolen in {key["id"].partition("#")[2] for key in document["keySet"]["assertionMethod"]}
    assert [key["id"].partition("#")[2] for key in document["oldKeys"]] == [stolen]
