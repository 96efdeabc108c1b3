"""Proposed rounds: a hub asks for them, a job makes them, and each participant accepts theirs or not.

A driver who accepts offers a trip; a guest who accepts books it, or waits for the driver. Both are the commands of the
pages, so room, price and law hold as ever. Whoever says nothing has said no.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, insert, select, update

from commensal import (
    Conflict,
    Hooks,
    Instance,
    Job,
    NotFound,
    Transaction,
    enqueue,
    enterprises_by_id,
    format_moment,
    mail_enterprise,
)
from commensal.parts.supply import ask_planners

from ..bookings.bookings import book, offer_trip
from ..bookings.mails import tell
from ..costs.law import Basis
from ..news import PLAN
from ..tables import transport_plan, transport_proposal
from ..trips.needs import SaleKey
from ..trips.trips import TripTerms, trip_by_id
from .planning import ProposedRound, TaskDraft, draft_for, metres_alone, proposed_rounds

Answer = Literal["open", "accepted", "declined"]
Outcome = Literal["declined", "driving", "riding", "waiting"]
_plan, _proposal = transport_plan.c, transport_proposal.c


@dataclass(frozen=True, kw_only=True)
class RoundsPlan:
    """The newest plan of a hub. `made_at` is None while it is being worked out; `reason` is why there is no round."""

    id: str
    enterprise_id: str
    asked_at: datetime
    made_at: datetime | None
    replaced_at: datetime | None
    reason: str
    metres_alone: int
    metres_planned: int

    @property
    def saving(self) -> int:
        """Percent of the kilometres of all, each alone."""
        return (self.metres_alone - self.metres_planned) * 100 // self.metres_alone if self.metres_alone else 0


@dataclass(frozen=True, kw_only=True)
class ProposedRide:
    """Goods in a proposed round; those with a vehicle are its driver's. Prices are in cents, times are UTC."""

    id: str
    plan_id: str
    round: int
    position: int
    enterprise_id: str
    vehicle_id: str | None
    basis: Basis
    origin: str
    sale_id: str
    starts_at: datetime
    ends_at: datetime
    until: datetime
    pickup_at: datetime
    delivery_at: datetime
    price: int
    alone: int
    answer: Answer
    trip_id: str | None
    booking_id: str | None

    @property
    def key(self) -> SaleKey:
        return SaleKey(self.origin, self.sale_id)

    @property
    def drives(self) -> bool:
        return self.vehicle_id is not None


# ------------------------------------------------------------------------------------------------ made


def ask_for_plan(tx: Transaction, hub_id: str) -> None:
    """Has rounds planned for what comes to the hub. What was proposed before can be accepted no more."""
    replaced = update(transport_plan).where(_plan.enterprise_id == hub_id, _plan.replaced_at.is_(None))
    tx.execute(replaced.values(replaced_at=tx.now))
    plan_id = tx.new_id()
    row = {"id": plan_id, "enterprise_id": hub_id, "asked_at": tx.now, "reason": ""}
    tx.execute(insert(transport_plan).values(**row, metres_alone=0, metres_planned=0))
    enqueue(tx, PLAN, {"plan": plan_id, "hub": hub_id})


def make_plan(instance: Instance, job: Job) -> None:
    """Asks a planner, outside of any transaction, and writes down the rounds that hold."""
    with instance.store.read() as tx:
        draft = draft_for(tx, instance.hooks, job.payload["hub"])
        task = draft.task(tx.now) if draft.loads else None
    planned = ask_planners(instance, task) if task else []
    with instance.store.write() as tx:
        rounds = proposed_rounds(tx, instance.hooks, draft, planned or [])
        reason = "no_planner" if planned is None else "" if rounds else "no_round"
        _write(tx, job.payload["plan"], job.payload["hub"], draft, rounds, reason)


def _write(
    tx: Transaction, plan_id: str, hub_id: str, draft: TaskDraft, rounds: Sequence[ProposedRound], reason: str
) -> None:
    needs = [need for _, need in draft.loads.values()]
    riding = {(need.sender_id, need.key) for each in rounds for need in each.needs}
    rest = [need for need in needs if (need.sender_id, need.key) not in riding]
    planned = sum(map(draft.metres_of, rounds)) + metres_alone(rest, draft.roads)
    alone = metres_alone(needs, draft.roads)
    made = {"made_at": tx.now, "reason": reason, "metres_alone": alone, "metres_planned": planned}
    unmade = (_plan.id == plan_id, _plan.made_at.is_(None))
    if tx.change(update(transport_plan).where(*unmade).values(made)) != 1:  # the job runs a second time
        return
    for number, each in enumerate(rounds):
        moments = each.trip.moments()
        common = {
            "plan_id": plan_id,
            "round": number,
            "basis": each.terms.basis,
            "starts_at": each.terms.starts_at,
            "ends_at": each.terms.ends_at,
            "until": each.until,
            "answer": "open",
        }
        arrival = max(moments[1:-1])
        for position, need in enumerate(each.own):
            money = {"price": each.share, "alone": each.alone} if position == 0 else {"price": 0, "alone": 0}
            row = {"position": position, "pickup_at": moments[0], "delivery_at": arrival, **money}
            _insert(tx, common | row | {"vehicle_id": each.terms.vehicle_id}, need.sender_id, need.key)
        for position, offer in enumerate(each.guests, len(each.own)):
            row = {"position": position, "pickup_at": offer.pickup, "delivery_at": arrival}
            money = {"price": offer.price, "alone": offer.alone}
            _insert(tx, common | row | money, offer.need.sender_id, offer.need.key)
        _tell_proposed(tx, hub_id, each)


def _tell_proposed(tx: Transaction, hub_id: str, proposed: ProposedRound) -> None:
    """Enqueues an e-mail to everybody in a proposed round: whether they drive or ride along, and when."""
    senders = list(dict.fromkeys(need.sender_id for need in proposed.needs))
    enterprises = enterprises_by_id(tx, {hub_id, *senders})
    carrier, guests = enterprises[proposed.trip.enterprise_id], len(senders) - 1
    pickups = {offer.need.sender_id: offer.pickup for offer in proposed.guests}
    for sender_id in senders:
        reader = enterprises[sender_id]
        at = pickups.get(sender_id, proposed.terms.starts_at)
        values = {
            "hub": enterprises[hub_id].name,
            "carrier": carrier.name,
            "drives": reader == carrier,
            "guests": guests,
            "at": format_moment(at, reader.timezone, reader.language),
            "reader_id": sender_id,
            "until": format_moment(proposed.until, reader.timezone, reader.language),
        }
        mail_enterprise(tx, sender_id, "transport_round", values, caused_by=hub_id)


def _insert(tx: Transaction, row: dict[str, object], sender_id: str, key: SaleKey) -> None:
    goods = {"enterprise_id": sender_id, "origin": key.origin, "sale_id": key.sale_id}
    tx.execute(insert(transport_proposal).values(id=tx.new_id(), **goods, **row))


# ------------------------------------------------------------------------------------------------ answered


def answer_proposal(tx: Transaction, hooks: Hooks, enterprise_id: str, proposal_id: str, *, accepts: bool) -> Outcome:
    """The sender accepts a proposal, or declines it; its other goods in the round go with it.

    Raises `NotFound` for one of another enterprise, `Conflict` if it is too late, or as `offer_trip` and `book` do.
    """
    mine = next(iter(_proposals(tx, _proposal.id == proposal_id, _proposal.enterprise_id == enterprise_id)), None)
    if mine is None:
        raise NotFound
    plan = tx.one(select(transport_plan).where(_plan.id == mine.plan_id).with_for_update())  # one answer at a time
    of_round = (_proposal.plan_id == mine.plan_id, _proposal.round == mine.round)
    together = _proposals(tx, *of_round)
    mine = next(each for each in together if each.id == proposal_id)
    if plan["replaced_at"] is not None or mine.until <= tx.now or mine.answer != "open":
        raise Conflict("gone", "This proposal can no longer be answered.")
    own = [each for each in together if each.enterprise_id == enterprise_id and each.answer == "open"]
    values = {"answer": "accepted" if accepts else "declined"}
    tx.execute(update(transport_proposal).where(_proposal.id.in_([each.id for each in own])).values(values))
    if not accepts:
        return "declined"
    if mine.drives:
        terms = TripTerms(
            vehicle_id=mine.vehicle_id or "",
            starts_at=mine.starts_at,
            ends_at=mine.ends_at,
            book_until=mine.until,
            basis=mine.basis,
        )
        trip = offer_trip(tx, hooks, enterprise_id, terms, [each.key for each in own])
        tx.execute(update(transport_proposal).where(*of_round).values(trip_id=trip.id))
    elif any(each.drives and each.answer == "declined" for each in together):
        raise Conflict("gone", "Whoever was to drive has declined.")
    _book_accepted(tx, hooks, of_round, demanding=None if mine.drives else proposal_id)
    if mine.drives:
        return "driving"
    now_booked = next(each for each in _proposals(tx, *of_round) if each.id == proposal_id)
    return "riding" if now_booked.booking_id else "waiting"


def _book_accepted(
    tx: Transaction, hooks: Hooks, of_round: tuple[ColumnElement[bool], ...], *, demanding: str | None
) -> None:
    """Books all who have accepted, in the order of the plan, with the trip that the driver has offered.

    Who has become dearer meanwhile, because others have not accepted yet, waits; `demanding` is who reads why not.
    """
    for each in _proposals(tx, *of_round):
        if each.drives or each.answer != "accepted" or each.booking_id or each.trip_id is None:
            continue
        try:
            with tx.attempt():
                booking = book(tx, hooks, each.enterprise_id, each.key, each.trip_id, price=each.price)
        except (Conflict, NotFound) as error:
            if each.id == demanding and getattr(error, "code", "") != "price":
                raise
            continue
        tx.execute(update(transport_proposal).where(_proposal.id == each.id).values(booking_id=booking.id))
        tell(tx, "booked", trip_by_id(tx, each.trip_id), [booking])


# ------------------------------------------------------------------------------------------------ questions


def newest_plan(tx: Transaction, hub_id: str) -> RoundsPlan | None:
    """The newest plan of a hub, or None."""
    query = select(transport_plan).where(_plan.enterprise_id == hub_id, _plan.replaced_at.is_(None))
    row = tx.first(query.order_by(_plan.asked_at.desc(), _plan.id.desc()).limit(1))
    return RoundsPlan(**row) if row else None


def rounds_of_plan(tx: Transaction, plan_id: str) -> list[list[ProposedRide]]:
    """The proposals of a plan by round, each in the order in which it is loaded."""
    rounds: dict[int, list[ProposedRide]] = defaultdict(list)
    for each in _proposals(tx, _proposal.plan_id == plan_id):
        rounds[each.round].append(each)
    return list(rounds.values())


def open_proposals(tx: Transaction, sender_id: str) -> dict[SaleKey, ProposedRide]:
    """What is proposed to a sender and can still be answered, or waits for the driver, by the sale of its goods."""
    newest = select(_plan.id).where(_plan.replaced_at.is_(None))
    mine = _proposals(
        tx,
        _proposal.enterprise_id == sender_id,
        _proposal.plan_id.in_(newest),
        _proposal.until > tx.now,
        _proposal.answer.in_(["open", "accepted"]),
    )
    return {each.key: each for each in mine}


def companions_of(tx: Transaction, proposals: Sequence[ProposedRide]) -> dict[str, list[ProposedRide]]:
    """All goods in the rounds of these proposals, by the id of the proposal."""
    together = _proposals(tx, _proposal.plan_id.in_({each.plan_id for each in proposals})) if proposals else []
    return {
        mine.id: [each for each in together if (each.plan_id, each.round) == (mine.plan_id, mine.round)]
        for mine in proposals
    }


def _proposals(tx: Transaction, *where: ColumnElement[bool]) -> list[ProposedRide]:
    query = select(transport_proposal).where(*where)
    ordered = query.order_by(_proposal.plan_id, _proposal.round, _proposal.position)
    return [ProposedRide(**row) for row in tx.all(ordered)]
