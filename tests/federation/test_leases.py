"""Leases: late, repeated or forged counts do no harm; time frees nothing; forced returns are settled in the end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from commensal.base.errors import Conflict
from commensal.stock.lots import lot_by_id
from commensal.stock.movements import count_stock, receive_stock
from commensal_federation.catalogue.grants import end_grant, give_grant
from commensal_federation.delivery import post
from commensal_federation.delivery.outbox.dead_letters import dead_letters
from commensal_federation.delivery.tables import federation_inbox
from commensal_federation.dfc.iris import lot_iri
from commensal_federation.grants.questions import grants_between
from commensal_federation.grants.tables import federation_grant
from commensal_federation.leases import lender
from commensal_federation.leases.holder import take_grant
from commensal_federation.leases.lender import accept_late, answer_request, force_return, take_report
from commensal_federation.leases.recalling import lendable_lot
from commensal_federation.leases.row import lease_with
from commensal_federation.messages import Refuse
from commensal_federation.messages.leases import Asked, LeaseGrant, LeaseRecall, LeaseReport
from commensal_federation.notices.tables import federation_notice
from commensal_federation.testing import Region

from .trading import Hub, Place, Producer, assert_consistent, clock_of, minutes

PEERS = ("ab", "ac")
BOTH = True  # databases


@pytest.fixture
def hub(farm: Producer, hub: Hub) -> Hub:
    farm.grant(hub)
    return hub


@pytest.fixture
def item(farm: Producer, hub: Hub) -> str:
    return hub.sell(farm)


def lot_of(farm: Producer) -> str:
    return lot_iri(farm.federation.base, farm.product.lot_id)


def report_with(farm: Producer, **changed: Any) -> LeaseReport:
    """Returns the hub's report if nothing had happened since its grant, with changes."""
    (lease,) = farm.leases()
    with farm.write() as tx:  # lease_with locks the lease
        locked_lease = lease_with(tx, "lender", lease.peer_id, lot_id=lease.lot_id)
        assert locked_lease is not None
        row = locked_lease.row
    lease_report = LeaseReport(
        lot=row.lot_iri,
        unit="Piece",
        epoch=row.epoch,
        report=row.report + 1,
        seen=lease.granted,
        returned=lease.returned,
        held=lease.granted - lease.returned - lease.sold,
        sold=lease.sold,
    )
    return replace(lease_report, **changed)


def receive_report(farm: Producer, lease_report: LeaseReport, peer: str = "b") -> None:
    with farm.write() as tx:
        take_report(farm.federation, tx, farm.region.peer("a", peer), farm.product.lot_id, lease_report)


def send(sender: Place, recipient: Place, type_name: str, body: Any) -> None:
    """Sends a message between two instances, and lets them work on it."""
    with sender.write() as tx:
        peer = sender.region.peer(sender.at, recipient.at)
        post(sender.federation, tx, peer.id, type_name, body)
    sender.region.work()


def levels(farm: Producer) -> tuple[int, int, int]:
    """The free, lent and sold units at the producer."""
    lot = farm.lot
    return int(lot.free), int(lot.lent), int(lot.sold)


# ------------------------------------------------------------------------------------------------ counts


def test_a_wish_for_stock_that_nobody_heard_in_its_time_is_no_dead_letter(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    region.cut("a", "b")
    with pytest.raises(Conflict, match="cannot be reached"):
        hub.order(item, 100)
    for _ in range(2):
        clock_of(region).advance(hours=1)
        minutes(region)
    region.mend()
    clock_of(region).advance(hours=1)
    minutes(region)
    with hub.read() as tx:
        assert dead_letters(tx, "out") == []
        assert {dead_letter.type for dead_letter in dead_letters(tx, "out", state="discarded")} == {"LeaseRequest"}


def test_a_grant_that_comes_twice_or_late_brings_nothing(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    (lease,) = hub.leases()
    free = hub.lot(farm).free
    for granted in (lease.granted, lease.granted - 2):
        lease_grant = LeaseGrant(
            lot=lot_of(farm),
            unit="Piece",
            epoch=1,
            granted=granted,
            until=clock_of(farm.region).now(),
            beyond=Decimal(0),
        )
        with hub.write() as tx:
            take_grant(hub.federation, tx, farm.region.peer("b", "a"), lease_grant)
    assert hub.lot(farm).free == free
    assert hub.leases()[0].granted == lease.granted


def test_reports_in_any_order_and_any_number_come_to_the_same(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    granted_units = farm.leases()[0].granted
    first_report = report_with(farm, returned=Decimal(1), held=granted_units - 1)
    second_report = replace(
        first_report, report=first_report.report + 1, returned=Decimal(2), held=granted_units - 4, sold=Decimal(2)
    )
    for report in (second_report, first_report, second_report, first_report):
        send(hub, farm, "LeaseReport", report)
    assert levels(farm) == (100 - int(granted_units) + 2, int(granted_units) - 4, 2)
    with hub.read() as tx:
        assert dead_letters(tx, "out") == [], "an older report is passed over, and not refused"


def test_idle_units_are_called_back_for_whoever_is_short(farm: Producer, hub: Hub, item: str, region: Region) -> None:
    other_hub = Hub(region, "c", "other")
    farm.grant(other_hub)
    other_item = other_hub.sell(farm)
    for _ in range(2):
        hub.order(item, 44)
    minutes(region)
    assert farm.lot.free == 0, "the rest is held for the next hours"
    other_hub.order(other_item, 5)
    assert_consistent(region)


def test_who_waits_is_served_once(farm: Producer, hub: Hub, item: str) -> None:
    granted_before = make_wait(farm, hub, item)
    for _ in range(2):
        bring(farm)
    assert farm.leases()[0].granted == granted_before + 8


def test_who_gives_back_waits_no_more(farm: Producer, hub: Hub, item: str) -> None:
    """Its customer has left: the units would travel to it and back again."""
    granted_before = make_wait(farm, hub, item)
    receive_report(farm, report_with(farm, returned=Decimal(2), held=granted_before - 2))
    bring(farm)
    assert farm.leases()[0].granted == granted_before


def make_wait(farm: Producer, hub: Hub, item: str) -> Decimal:
    """Lets a customer of the hub wait for eight units while five are free. Returns what the hub was granted before."""
    hub.order(item, 3)
    with farm.write() as tx:
        lot = lot_by_id(tx, "farm", farm.product.lot_id)
        count_stock(tx, "farm", lot.id, lot.lent + 5)
        ask = Asked(least=8, hoped=8, ordered=13)
        answer_request(farm.federation, tx, farm.region.peer("a", "b"), "farm", lot.id, ask, "message")
    (lease,) = farm.leases()
    assert lease.wanted == 8
    return lease.granted


def bring(farm: Producer) -> None:
    """The producer brings another hundred, which waiting hubs get first."""
    with farm.write() as tx:
        receive_stock(tx, "farm", farm.product.lot_id, Decimal(100))
        lender.serve_waiting(farm.federation, tx, farm.product.lot_id)


def test_time_alone_gives_nothing_back(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    lent_before = farm.lot.lent
    farm.region.cut("a", "b")
    clock_of(farm.region).advance(days=30)
    minutes(farm.region, 3)
    assert farm.lot.lent == lent_before
    farm.region.mend()
    minutes(farm.region, 3)
    assert farm.lot.lent == 3, "what was ordered; the rest came home when the hub said so"


@pytest.mark.parametrize(("surplus", "late"), [("1.3", 0), ("1.4", Decimal("1.4") - Decimal("1.3"))])
def test_scales_may_find_a_tenth_more_than_was_leased_and_beyond_that_a_person_is_told(
    region: Region, surplus: str, late: Decimal
) -> None:
    farm, hub = Producer(region, "a", unit="Kilogram"), Hub(region, "b")
    farm.grant(hub)
    hub.order(hub.sell(farm), 3)
    granted = farm.leases()[0].granted
    assert granted == 13
    receive_report(farm, replace(report_with(farm, held=granted + Decimal(surplus)), unit="Kilogram"))
    assert farm.lot.on_hand == 100 + Decimal(surplus) - late, "what scales have found is there; what is late is not"
    with farm.read() as tx:
        kinds = [row["kind"] for row in tx.all(select(federation_notice.c.kind))]
    assert ("sold_late" in kinds) == (farm.leases()[0].late > 0) == (late > 0)


# ------------------------------------------------------------------------------------------------ by force


def test_what_a_dead_hub_holds_is_taken_back_and_what_it_sold_meanwhile_goes_to_a_person(
    farm: Producer, hub: Hub, item: str
) -> None:
    hub.order(item, 3)
    minutes(farm.region)
    farm.region.cut("a", "b")
    hub.order(item, 2)
    with farm.write() as tx:
        force_return(farm.federation, tx, farm.leases()[0].id)
    assert levels(farm) == (100, 0, 0)
    farm.region.mend()
    clock_of(farm.region).advance(hours=1)
    farm.region.work()
    assert hub.lot(farm).free == 0, "nothing more of it is sold"
    (lease,) = farm.leases()
    assert (lease.epoch, int(lease.late)) == (2, 5)
    with farm.write() as tx:
        assert accept_late(farm.federation, tx, lease.id)
    farm.region.work()
    assert levels(farm) == (95, 5, 0)
    minutes(farm.region, 2)
    assert farm.leases()[0].late == 0, "the hub has said that it has what it sold"
    assert_consistent(farm.region)


def test_a_report_of_before_a_forced_return_says_nothing(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    old_report = report_with(farm)
    with farm.write() as tx:
        force_return(farm.federation, tx, farm.leases()[0].id)
    receive_report(farm, replace(old_report, returned=Decimal(3), held=Decimal(0)))
    assert levels(farm) == (100, 0, 0)


# ------------------------------------------------------------------------------------------------ forgeries


@pytest.mark.parametrize(
    "changed",
    [
        {"seen": Decimal(10_000)},  # more than was granted
        {"returned": Decimal(1000), "held": Decimal(0)},  # more than it had
        {"epoch": 7},
        {"sold": Decimal(500), "returned": Decimal(1)},
    ],
    ids=["seen", "returned", "epoch", "sold and returned"],
)
def test_counts_that_cannot_be_are_refused(farm: Producer, hub: Hub, item: str, changed: dict[str, Any]) -> None:
    hub.order(item, 3)
    levels_before = levels(farm)
    with pytest.raises(Refuse):
        receive_report(farm, report_with(farm, **changed))
    assert levels(farm) == levels_before


def test_a_report_numbered_far_ahead_is_refused_and_those_after_it_count(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    granted_units = farm.leases()[0].granted
    next_report = report_with(farm, returned=Decimal(2), held=granted_units - 2)
    with pytest.raises(Refuse, match="too far ahead of the last one"):
        receive_report(farm, replace(next_report, report=2**53 - 1))
    receive_report(farm, replace(next_report, report=next_report.report + 1000))  # others were lost
    assert farm.leases()[0].returned == 2


def test_a_count_never_falls(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    granted_units = farm.leases()[0].granted
    receive_report(farm, report_with(farm, returned=Decimal(2), held=granted_units - 2))
    with pytest.raises(Refuse, match="cannot become less"):
        receive_report(farm, report_with(farm, returned=Decimal(1), held=granted_units - 1))


def test_without_the_check_a_hub_could_give_back_what_it_never_had(
    farm: Producer, hub: Hub, item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the check, the forgery above frees units that do not exist."""
    hub.order(item, 3)
    monkeypatch.setattr(lender, "_refuse_impossible", lambda *args: None)
    monkeypatch.setattr(lender, "_late", lambda *args: 0)
    granted_units = farm.leases()[0].granted
    receive_report(farm, report_with(farm, returned=granted_units + 5, held=Decimal(0)))
    assert farm.lot.free > 100


def test_who_holds_no_lease_reports_nothing(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    with pytest.raises(Refuse):
        receive_report(farm, report_with(farm), peer="c")


def test_a_lot_that_nobody_granted_is_not_lent(farm: Producer, region: Region) -> None:
    """The refusal has the same words as for a lot that does not exist."""
    lot = lot_of(farm)
    for iri in (lot, f"{lot}x", "https://b.example/api/dfc/stocks/1"):
        with pytest.raises(Refuse) as refused, farm.write() as tx:
            lendable_lot(farm.federation, tx, region.peer("a", "b"), iri)
        assert refused.value.code == "not_granted"


def test_no_peer_holds_more_than_its_share_of_a_lot(farm: Producer, hub: Hub) -> None:
    peer = farm.region.peer("a", "b")
    limited_peer = replace(peer, limits=replace(peer.limits, lot_share=30))
    with farm.write() as tx:
        ask = Asked(least=0, hoped=50)
        ungranted = answer_request(farm.federation, tx, limited_peer, "farm", farm.product.lot_id, ask, "message")
    assert [ungranted.hoped, int(farm.lot.lent)] == [20, 30]


def test_no_peer_holds_more_than_its_grants_let_it(farm: Producer, hub: Hub) -> None:
    """Of several hubs of the peer the largest share counts, since they share a lease."""
    peer, other = farm.region.peer("a", "b"), f"{hub.federation.base}/api/dfc/enterprises/other"
    with farm.write() as tx:
        give_grant(farm.federation, tx, "farm", peer.id, hub.iri, "hub", lot_share=20)
        change = update(federation_grant).values(state="accepted")
        tx.execute(change)
        ask = Asked(least=0, hoped=50)
        answer_request(farm.federation, tx, peer, "farm", farm.product.lot_id, ask, "message")
    assert int(farm.lot.lent) == 20
    with farm.write() as tx:
        give_grant(farm.federation, tx, "farm", peer.id, other, "other", lot_share=40)
        tx.execute(change)
        answer_request(farm.federation, tx, peer, "farm", farm.product.lot_id, ask, "another")
    assert int(farm.lot.lent) == 40


def test_what_is_reserved_is_never_given_back(farm: Producer, hub: Hub, item: str) -> None:
    hub.order(item, 3)
    send(farm, hub, "LeaseRecall", LeaseRecall(lot=lot_of(farm), unit="Piece", wanted=Decimal(1000)))
    assert (hub.lot(farm).free, hub.lot(farm).reserved) == (0, 3)
    assert levels(farm) == (97, 3, 0), "none is free at both"
    with farm.read() as tx:
        assert {row["state"] for row in tx.all(select(federation_inbox.c.state))} == {"done"}


def test_whose_grant_was_taken_back_gets_nothing_that_it_wanted_before(
    farm: Producer, hub: Hub, item: str, region: Region
) -> None:
    with pytest.raises(Exception, match="not enough"):
        hub.order(item, 120)
    granted_units = hub.lot(farm).free
    with farm.write() as tx:
        (grant,) = grants_between(tx, enterprise_id="farm", direction="given")
        end_grant(farm.federation, tx, grant.id)
        receive_stock(tx, "farm", farm.product.lot_id, Decimal(50))
    minutes(region)
    assert hub.leases()[0].granted <= granted_units
