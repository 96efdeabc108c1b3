"""Attacks with messages of a plugin's type: each is refused as with one of the federation's own types, nothing of it
reaches the plugin, and a plugin that hangs stops nobody else."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import commensal_federation
from commensal import PluginError
from commensal.hooks import dispatcher
from commensal_federation.delivery import plugin_code
from commensal_federation.messages.types import SCOPES
from commensal_federation.peers.changing import change_peer
from commensal_federation.signing import canonical, sign

from .conftest import Forger, NewRegion
from .test_message_types import SCOPE, Crates, failures_at

SHORT = 0.05  # seconds that a plugin may take in these tests; hanging code ends by an event
RIGHT = {"driver": "Val", "crates": 12}


@pytest.fixture
def crates() -> Crates:
    return Crates()


@pytest.fixture
def forger(new_region: NewRegion, crates: Crates) -> Forger:
    """As of `conftest`, at instances with the plugin; a may send b its messages."""
    modules = {"crates": crates.module, "federation": commensal_federation}
    region = new_region("a", "b", "c", plugins=("federation", "crates"), modules=modules)
    region.befriend("a", "b", [*SCOPES, SCOPE])
    return Forger(region)


def _deny(forger: Forger) -> None:
    with forger.region["b"].instance.store.write() as tx:
        change_peer(tx, forger.region.peer("b", "a").id, scopes_given=[])


def _unsigned(forger: Forger, **message: Any) -> tuple[int, str]:
    return forger.status(canonical(forger.envelope(**message)))


def _signed_by_another(forger: Forger, **message: Any) -> tuple[int, str]:
    now = forger.region["a"].instance.clock.now()
    return forger.status(canonical(sign(forger.envelope(**message), forger.key("c"), now)))


def _brought_by_a_stranger(forger: Forger, **message: Any) -> tuple[int, str]:
    return forger.status(forger.signed(**message), by="c")


def _in_the_name_of_another(forger: Forger, **message: Any) -> tuple[int, str]:
    return forger.status(forger.signed(**message, actor=forger.region["c"].iri))


def _about_a_thing_of_another(forger: Forger, **message: Any) -> tuple[int, str]:
    thing = {**message["object"], "@id": "https://c.example/crates/1"}
    return forger.status(forger.signed(**{**message, "object": thing}))


def _changed_on_the_way(forger: Forger, **message: Any) -> tuple[int, str]:
    return forger.status(forger.signed(**message).replace(b"forged", b"copied"))


def _in_another_lane(forger: Forger, **message: Any) -> tuple[int, str]:
    return forger.status(forger.signed(**message, lane="catalogue"))


def _of_no_shape(forger: Forger, **message: Any) -> tuple[int, str]:
    shapes = [{}, {"driver": ["Val"], "text": 1}, {"driver": None, "text": {}}]
    (answer,) = {forger.status(forger.signed(**{**message, "object": shape}))[0] for shape in shapes}
    return answer, ""


def _too_large(forger: Forger, **message: Any) -> tuple[int, str]:
    return forger.status(forger.signed(**{**message, "object": {"text": "x" * 1_050_000, "driver": "x" * 1_050_000}}))


def _without_the_scope(forger: Forger, **message: Any) -> tuple[int, str]:
    _deny(forger)
    return forger.status(forger.signed(**message))


ATTACKS = (
    _unsigned,
    _signed_by_another,
    _brought_by_a_stranger,
    _in_the_name_of_another,
    _about_a_thing_of_another,
    _changed_on_the_way,
    _in_another_lane,
    _of_no_shape,
    _too_large,
    _without_the_scope,
)


def test_each_attack_is_refused_as_with_a_type_of_the_federation(forger: Forger, crates: Crates, notes: Any) -> None:
    own: dict[str, Any] = {"type": "OrderNote", "object": {"text": "hello"}}
    of_plugin: dict[str, Any] = {"type": "crates.CrateReturn", "object": RIGHT}
    for attack in ATTACKS:
        answers = [attack(forger, **message) for message in (own, of_plugin)]
        assert answers[0] == answers[1], attack.__name__
        assert 400 <= answers[0][0] < 500, attack.__name__
    assert (crates.came, notes.at(forger.region["b"])) == ([], [])
    assert failures_at(forger.region["b"]) == {}, "an attack is no fault of the plugin"


def test_a_message_counts_once_however_often_it_comes_and_a_flood_is_stopped(forger: Forger, crates: Crates) -> None:
    with forger.region["b"].instance.store.write() as tx:
        change_peer(tx, forger.region.peer("b", "a").id, limits={"messages": 5})
    message = forger.signed(type="crates.CrateReturn", object=RIGHT)
    statuses = [forger.send(message).status for _ in range(8)]
    assert statuses == [202] * 5 + [429] * 3
    assert crates.came == [12]


def test_while_a_handler_hangs_orders_go_on_and_its_message_is_kept(
    forger: Forger, crates: Crates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "TRANSACTION_SECONDS", SHORT)
    inside, go = threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        assert go.wait(30)

    crates.hang = hang
    message, errors = forger.signed(type="crates.CrateReturn", object=RIGHT), list[PluginError]()

    def send() -> None:
        try:
            forger.send(message)
        except PluginError as error:  # answered by 502, so that the peer sends it again
            errors.append(error)

    sending = threading.Thread(target=send)
    sending.start()
    assert inside.wait(30)
    with forger.region["b"].instance.store.write() as tx:  # as an order does: it waits ten seconds at most
        change_peer(tx, forger.region.peer("b", "a").id, limits={})
    assert sending.is_alive(), "the handler still hangs"
    go.set()
    sending.join(30)
    assert failures_at(forger.region["b"]) == {"crates": "message crates.CrateReturn"}
    crates.hang = lambda: None
    crates.came.clear()  # of the call whose transaction was taken away
    assert (len(errors), forger.send(message).status, crates.came) == (1, 202, [12])


def test_a_plugin_that_hangs_while_it_reads_holds_up_no_messages(
    forger: Forger, crates: Crates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is parked, and read again later; those of other types in the same request are handled."""
    monkeypatch.setattr(plugin_code, "READING", SHORT)
    go = threading.Event()
    crates.hang_reading = lambda: go.wait(30)
    try:
        assert forger.status(forger.signed(type="crates.CrateReturn", object=RIGHT)) == (202, "parked")
        assert forger.status(forger.signed("hello")) == (202, "")
    finally:
        go.set()
    assert crates.came == []
    assert failures_at(forger.region["b"]) == {"crates": "message crates.CrateReturn"}
