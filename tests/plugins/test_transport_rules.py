"""Rules of plugins that share the cost of a round: chosen, worked out, and checked by whoever has the plugin."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from commensal import Conflict, CostRule, Invalid, RoundParticipant, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.storage.database import Store
from commensal_transport.bookings.quotes import NoQuote
from commensal_transport.bookings.statements import TripStatement, finish_trip, mistakes_of
from commensal_transport.costs.cost_rules import known_rules
from commensal_transport.costs.sharing import Rules
from commensal_transport.trips.trips import Trip

from .test_transport_pages import member
from .valley import Valley, open_valley

PLUGINS = ("shop", "office", "transport", "heads")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HEADS = "heads:by_heads/1"


def by_heads(total: int, participants: Sequence[RoundParticipant]) -> Mapping[str, int]:
    """Everybody pays the same, the driver what is left."""
    each = total // len(participants)
    rest = total - each * (len(participants) - 1)
    return {one.name: rest if one.is_driver else each for one in participants}


def careless(total: int, participants: Sequence[RoundParticipant]) -> Mapping[str, int]:
    return {one.name: 1 for one in participants}


@hookimpl
def share_costs(language: str) -> Sequence[CostRule]:
    label = "Chacun paie autant" if language == "fr" else "Everybody pays the same"
    rules = [("by_heads/1", by_heads), ("careless/1", careless), ("no id", by_heads)]
    return [CostRule(id=id, label=label, description="", share=share) for id, share in rules]


@pytest.fixture
def instance(
    settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path
) -> Iterator[Instance]:
    """An instance that uses this module as the plugin `heads`."""
    hooks = load_plugins(settings, clock=clock, modules={"heads": sys.modules[__name__]})
    instance = Instance(tmp_path, settings, store, hooks, clock, ids)
    yield instance
    instance.hooks.flush_failures()


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    return open_valley(instance, clock)


def rules_of(valley: Valley) -> Rules:
    with valley.store.read() as tx:
        return known_rules(tx, valley.instance.hooks)


def drive(valley: Valley, trip: Trip) -> TripStatement:
    for booking in valley.bookings(trip):
        valley.report("gardener", booking, "pick_up")
        valley.report("gardener", booking, "deliver")
    with valley.store.write() as tx:
        return finish_trip(tx, "gardener", trip.id, known_rules(tx, valley.instance.hooks))


def test_a_round_is_shared_by_the_rule_of_a_plugin_and_never_above_what_was_confirmed(valley: Valley) -> None:
    trip = valley.trip(rule=HEADS, vehicle=valley.vehicle(cold=10, keeping="cold4"))
    booking = valley.book("dairy", trip)
    statement = drive(valley, trip)
    content = statement.content
    assert content["rule"] == HEADS
    assert booking.cap == content["total"] // 2
    assert [row[4] for row in content["participants"]] == [content["total"] - booking.cap, booking.cap]
    assert mistakes_of(content, rules_of(valley)) == []
    forged = [[*row[:4], row[4] + shift, *row[5:]] for row, shift in zip(content["participants"], (9, -9), strict=True)]
    assert mistakes_of({**content, "participants": forged}, rules_of(valley)) == ["shares"]


def test_whoever_does_not_have_the_plugin_says_that_they_cannot_check_it(valley: Valley) -> None:
    trip = valley.trip(rule=HEADS)
    valley.book("baker", trip)
    assert mistakes_of(drive(valley, trip).content) == ["unknown_rule"]


def test_a_rule_whose_cents_do_not_add_up_takes_no_guest_and_is_its_plugins_fault(valley: Valley) -> None:
    trip = valley.trip(rule="heads:careless/1")
    refusal = valley.quote("baker", trip)
    assert isinstance(refusal, NoQuote)
    assert refusal.code == "price"
    assert "it shares 2 cents of" in valley.instance.hooks.failures[-1].what
    assert any("no id" in failure.what for failure in valley.instance.hooks.failures), "and a name that is none"


def test_a_rule_is_for_shared_costs_and_one_that_is_not_there_shares_nothing(valley: Valley) -> None:
    vehicle = valley.vehicle()
    with pytest.raises(Invalid, match="posted price"):
        valley.trip(vehicle=vehicle, rule="heads:other/1")
    valley.set("gardener", is_farm=True, licence="2026/75/0000123")
    with pytest.raises(Invalid, match="posted price"):
        valley.trip(vehicle=vehicle, rule=HEADS, basis="hire")
    trip = valley.trip(vehicle=vehicle, rule=HEADS)
    for event in ("pick_up", "deliver"):
        (own,) = valley.bookings(trip)
        valley.report("gardener", own, event)
    with pytest.raises(Conflict, match="not enabled any more"), valley.store.write() as tx:
        finish_trip(tx, "gardener", trip.id)


def test_a_carrier_chooses_the_rule_by_its_name_and_reads_it_on_the_pages(valley: Valley, client: TestClient) -> None:
    gardener = member(valley, client, "gardener", language="fr")
    valley.vehicle()
    assert "Chacun paie autant" in gardener.go("/office/gardener/transport/drive").text
    gardener.send("/drive", ("rule", HEADS))
    assert "Chacun paie autant" in gardener.go("/office/gardener/transport").text
