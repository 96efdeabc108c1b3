"""Rounds that a hub proposes: a solver says who rides with whom, and everybody accepts or not."""

from __future__ import annotations

import sys

import pytest
from starlette.testclient import TestClient

from commensal import Conflict, NotFound, RoundLoad, RoundsTask, RoundVehicle
from commensal.base.clock import ManualClock
from commensal.instance import Instance, InstanceSettings
from commensal.storage.jobs import Job
from commensal.testing.instances import RunJobs
from commensal_transport.bookings.statements import finish_trip
from commensal_transport.planning.planning import suppliers_of
from commensal_transport.planning.proposals import (
    Outcome,
    ProposedRide,
    RoundsPlan,
    answer_proposal,
    ask_for_plan,
    make_plan,
    newest_plan,
    open_proposals,
    rounds_of_plan,
)
from commensal_transport.planning.vroom_planner import plan_rounds

from .test_transport_pages import member
from .valley import KEY, Valley, open_valley

vroom = pytest.importorskip("vroom", reason="the extra `routing` is not installed")


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return InstanceSettings(
        name="Les Paniers",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        plugins={"enabled": ["shop", "office", "transport"]},
    )


@pytest.fixture
def valley(instance: Instance, clock: ManualClock) -> Valley:
    valley = open_valley(instance, clock)
    for farm in ("gardener", "baker"):
        valley.vehicle(farm)
    return valley


def planned(valley: Valley, run_jobs: RunJobs) -> RoundsPlan:
    """The plan of the hub, after the job that makes it."""
    with valley.store.write() as tx:
        ask_for_plan(tx, "shop")
    run_jobs()
    with valley.store.read() as tx:
        plan = newest_plan(tx, "shop")
    assert plan is not None
    return plan


def proposals(valley: Valley) -> dict[str, ProposedRide]:
    """What can still be answered, by farm."""
    with valley.store.read() as tx:
        mine = {farm: open_proposals(tx, farm).get(KEY) for farm in ("gardener", "dairy", "baker")}
    return {farm: proposal for farm, proposal in mine.items() if proposal}


def answer(valley: Valley, farm: str, *, accepts: bool = True) -> Outcome:
    proposal = proposals(valley)[farm]
    with valley.store.write() as tx:
        return answer_proposal(tx, valley.instance.hooks, farm, proposal.id, accepts=accepts)


def driver_and_guest(valley: Valley) -> tuple[str, str]:
    (driver,) = (farm for farm, proposal in proposals(valley).items() if proposal.drives)
    (guest,) = (farm for farm, proposal in proposals(valley).items() if not proposal.drives)
    return driver, guest


def test_a_hub_proposes_one_van_instead_of_three(valley: Valley, run_jobs: RunJobs) -> None:
    valley.vehicle("gardener", name="Fridge", cold=20, keeping="cold4", cents_per_km=40)
    plan = planned(valley, run_jobs)
    assert plan.reason == ""
    assert 50 <= plan.saving < 100
    with valley.store.read() as tx:
        (goods,) = rounds_of_plan(tx, plan.id)
    assert goods[0].enterprise_id == "gardener"
    assert {each.enterprise_id for each in goods} == {"gardener", "dairy", "baker"}
    assert [each.drives for each in goods] == [True, False, False]
    assert all(0 < each.price < each.alone for each in goods)
    assert goods[0].starts_at < goods[1].pickup_at < goods[2].pickup_at < goods[0].delivery_at < goods[0].ends_at


def test_goods_that_no_vehicle_keeps_cold_are_in_no_round(valley: Valley, run_jobs: RunJobs) -> None:
    plan = planned(valley, run_jobs)
    with valley.store.read() as tx:
        aboard = {each.enterprise_id for goods in rounds_of_plan(tx, plan.id) for each in goods}
    assert aboard == {"gardener", "baker"}, "the dairy's goods need a cold place"


def test_everybody_accepts_and_is_booked_with_the_same_trip(valley: Valley, run_jobs: RunJobs) -> None:
    valley.vehicle("gardener", name="Fridge", cold=20, keeping="cold4", cents_per_km=40)
    plan = planned(valley, run_jobs)
    promised = {farm: proposal.price for farm, proposal in proposals(valley).items()}
    assert answer(valley, "baker") == "waiting", "whoever drives has not answered yet"
    assert answer(valley, "gardener") == "driving"
    assert answer(valley, "dairy") == "riding"
    with valley.store.read() as tx:
        (goods,) = rounds_of_plan(tx, plan.id)
    assert all(each.booking_id for each in goods if not each.drives)
    (trip_id,) = {each.trip_id for each in goods}
    trip = valley.again(valley.trip_by_id(trip_id or ""))
    bookings = {booking.sender_id: booking for booking in valley.bookings(trip)}
    assert {farm: bookings[farm].state for farm in promised} == dict.fromkeys(promised, "confirmed")
    assert all((bookings[farm].cap or 0) <= promised[farm] for farm in ("baker", "dairy"))
    assert [stop.enterprise_id for stop in trip.stops].count("shop") == 1
    for farm in promised:
        for event in ("pick_up", "deliver"):
            valley.report("gardener", bookings[farm], event)
    with valley.store.write() as tx:
        statement = finish_trip(tx, "gardener", trip.id)
    assert statement.content["total"] == sum(row[4] for row in statement.content["participants"])
    assert statement.content["participants"][0][4] <= promised["gardener"]


def test_nobody_is_moved_by_a_proposal_that_they_have_not_accepted(valley: Valley, run_jobs: RunJobs) -> None:
    planned(valley, run_jobs)
    driver, guest = driver_and_guest(valley)
    assert answer(valley, driver) == "driving"
    with valley.store.read() as tx:
        uncarried = [supplier.id for supplier in suppliers_of(tx, valley.instance.hooks, "shop")]
    assert uncarried == sorted(["dairy", guest])
    assert answer(valley, guest, accepts=False) == "declined"
    assert proposals(valley).keys() == {driver}


def test_if_the_driver_declines_nobody_rides(valley: Valley, run_jobs: RunJobs) -> None:
    planned(valley, run_jobs)
    driver, guest = driver_and_guest(valley)
    answer(valley, driver, accepts=False)
    with pytest.raises(Conflict, match="has declined"):
        answer(valley, guest)
    assert proposals(valley)[guest].answer == "open"


def test_a_proposal_is_answered_by_its_own_farm_in_time_and_once(
    valley: Valley, run_jobs: RunJobs, clock: ManualClock
) -> None:
    planned(valley, run_jobs)
    mine = proposals(valley)["baker"]
    hooks = valley.instance.hooks
    with pytest.raises(NotFound), valley.store.write() as tx:
        answer_proposal(tx, hooks, "gardener", mine.id, accepts=True)
    answer(valley, "baker")
    with pytest.raises(Conflict, match="no longer"), valley.store.write() as tx:
        answer_proposal(tx, hooks, "baker", mine.id, accepts=True)
    other = proposals(valley)["gardener"]
    clock.advance(days=1)
    with pytest.raises(Conflict, match="no longer"), valley.store.write() as tx:
        answer_proposal(tx, hooks, "gardener", other.id, accepts=True)


def test_a_newer_plan_takes_the_place_of_what_was_proposed(valley: Valley, run_jobs: RunJobs) -> None:
    planned(valley, run_jobs)
    old = proposals(valley)["baker"]
    planned(valley, run_jobs)
    assert proposals(valley)["baker"].id != old.id
    with pytest.raises(Conflict, match="no longer"), valley.store.write() as tx:
        answer_proposal(tx, valley.instance.hooks, "baker", old.id, accepts=True)


def test_a_job_that_runs_twice_proposes_once(valley: Valley, run_jobs: RunJobs) -> None:
    plan = planned(valley, run_jobs)
    make_plan(valley.instance, Job("again", "transport.plan", {"plan": plan.id, "hub": "shop"}, 2))
    with valley.store.read() as tx:
        assert len(rounds_of_plan(tx, plan.id)) == 1


def test_a_farm_that_has_been_booked_otherwise_keeps_its_booking(valley: Valley, run_jobs: RunJobs) -> None:
    planned(valley, run_jobs)
    driver, guest = driver_and_guest(valley)
    valley.trip(guest)
    answer(valley, driver)
    with pytest.raises(Conflict) as refusal:
        answer(valley, guest)
    assert refusal.value.code == "already"


def test_a_site_without_a_planner_says_so(valley: Valley, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vroom", None)
    assert planned(valley, run_jobs).reason == "no_planner"
    assert proposals(valley) == {}


def test_a_solver_that_fails_ends_alone() -> None:
    loads = (RoundLoad(id="l", origin=0, destination=7, room=(1,), opens=0, closes=9, vehicles=frozenset("v")),)
    vehicles = (RoundVehicle(id="v", base=0, room=(1,), cents_per_km=40, begins=0, ends=9),)
    task = RoundsTask(metres=((0,),), seconds=((0,),), service=0, vehicles=vehicles, loads=loads)
    with pytest.raises(RuntimeError, match="the solver ended with"):
        plan_rounds(task)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_pages_lead_from_the_hub_to_the_van(valley: Valley, run_jobs: RunJobs, client: TestClient) -> None:
    hub, gardener, baker = (member(valley, client, name) for name in ("shop", "gardener", "baker"))
    hub.go("/office/shop/transport")
    assert "/office/shop/transport/plan" in hub.page.links()
    hub.go("/office/shop/transport/plan")
    assert "3 producers bring goods that nobody carries yet." in hub.page.text
    hub.send("/plan")
    assert "The rounds are being worked out." in hub.page.text
    run_jobs()
    page = hub.go("/office/shop/transport/plan").text
    assert "fewer kilometres if all accept" in page
    assert "drives" in page
    assert "not answered" in page
    for word in ("Kangoo", "€"):
        assert word not in page, "vehicles and prices are no matter of the hub"

    driver, guest = (gardener, baker) if proposals(valley)["gardener"].drives else (baker, gardener)
    names = ("Gardener", "Baker") if driver is gardener else ("Baker", "Gardener")
    page = guest.go(f"/office/{names[1].lower()}/transport").text
    assert f"Halle proposes that {names[0]} takes it along." in page
    guest.send("?then=accept")
    assert "Accepted. You are booked as soon as the others have accepted too." in guest.page.text
    page = driver.go(f"/office/{names[0].lower()}/transport").text
    assert "Halle proposes that you drive. 1 other would ride along." in page
    driver.send("?then=accept")
    assert "You drive: the trip is offered" in driver.page.text
    page = guest.go(f"/office/{names[1].lower()}/transport").text
    assert f"booked {names[0]} comes" in page
    assert page.count("proposes that") == 0
    assert "booked" in hub.go("/office/shop/transport/plan").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_proposal_is_declined_by_its_page(valley: Valley, run_jobs: RunJobs, client: TestClient) -> None:
    baker = member(valley, client, "baker")
    planned(valley, run_jobs)
    baker.go("/office/baker/transport")
    baker.send("?then=decline")
    assert "Declined. The goods are yours to bring." in baker.page.text
    assert "proposes that" not in baker.page.text
