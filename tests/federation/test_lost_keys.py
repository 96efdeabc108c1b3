"""Files of keys are lost: with the root key peers follow by themselves, without it their operators compare again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.sync.refreshing import enqueue_refresh
from commensal_federation.delivery.work import _wake
from commensal_federation.identity.keys import fingerprint_of, our_keys, root_key
from commensal_federation.identity.rotation import begin_new_identity, recover_keys
from commensal_federation.peering.deciding import confirm_keys
from commensal_federation.peering.work import enqueue_key_updates
from commensal_federation.runtime import Federation
from commensal_federation.signing import SigningKey
from commensal_federation.testing import Region

Say = Callable[..., str]


def _lose_files(federation: Federation) -> SigningKey:
    """Deletes the files of all keys. Returns the root key, as it stands on paper."""
    with federation.instance.store.read() as tx:
        written_down = root_key(federation, tx)
    assert written_down is not None
    for file in (federation.instance.folder / "keys").glob("*.key"):
        file.unlink()
    return written_down


def _fingerprint(federation: Federation) -> str:
    with federation.instance.store.read() as tx:
        return fingerprint_of(federation.iri, our_keys(tx)[0].multikey)


def test_with_the_root_key_on_paper_peers_follow_the_new_keys_by_themselves(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    a = region["a"]
    before, written_down = _fingerprint(a), _lose_files(a)
    with pytest.raises(Conflict, match="root key is not on this machine"), a.instance.store.write() as tx:
        recover_keys(a, tx)
    with a.instance.store.write() as tx:
        assert recover_keys(a, tx, root=written_down) == ["k1", "k2"]
        _wake(enqueue_key_updates, tx)
    assert _fingerprint(a) == before
    region.work()
    say("a", "b", "by a new key")
    region.work()
    for _ in range(3):  # refused as an unknown key, which lets b fetch the document, and sent again
        clock.advance(minutes=15)
        region.work()
    assert notes.at(region["b"]) == ["by a new key"]
    with pytest.raises(Conflict, match="All files of the keys are there"), a.instance.store.write() as tx:
        recover_keys(a, tx, root=written_down)


def test_without_the_root_key_trade_goes_on_once_the_peer_has_compared_the_new_digits(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    a, b = region["a"], region["b"]
    before = _fingerprint(a)
    with pytest.raises(Conflict, match="root key is on this machine"), a.instance.store.write() as tx:
        begin_new_identity(a, tx)
    _lose_files(a)
    with a.instance.store.write() as tx:
        assert begin_new_identity(a, tx) == ["k1", "k2"]
    after = _fingerprint(a)
    assert after != before
    clock.advance(hours=1)
    with b.instance.store.write() as tx:
        enqueue_refresh(tx, region.peer("b", "a"))
    region.work("b")
    assert region.peer("b", "a").state == "suspended", "nobody follows another root key by itself"
    with b.instance.store.read() as tx:
        assert "document" in {alert.kind for alert in alerts(tx)}
    for digits in (before, " "):
        with pytest.raises(Conflict):
            confirm_keys(b, region.peer("b", "a").id, digits)
    assert confirm_keys(b, region.peer("b", "a").id, after).state == "accepted"
    clock.advance(hours=1)
    say("a", "b", "as before")
    region.work()
    assert notes.at(b) == ["as before"]
