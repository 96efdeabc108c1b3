"""This week: where the sale stands, what needs somebody, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import (
    OrderSummary,
    Sale,
    SaleSession,
    Transaction,
    format_hour,
    format_money,
    list_categories,
    plural,
    sale_by_id,
    translate,
)
from commensal.pages import Visit, page_parts
from commensal.parts.distribution import summaries_of_session
from commensal.parts.supply import ShortLine, Undelivered, shortfalls_at_session, undelivered_at_session
from commensal.payments import payment_methods
from commensal.sale_sessions import Coordination, coordination_by_id, count_offers, is_coming, is_open, offers_for
from commensal.stock import low_lots

from ..frame.desk import Desk, open_desk
from ..frame.render import show, time_left
from ..frame.sessions import (
    Offered,
    by_slot,
    current_session,
    recent_sessions,
    session_after,
    session_before,
    session_of_page,
    slot_label,
    slots_of_sale,
)
from ..money.conflicts import count_conflicts, undecided_problems
from ..money.open import Open, open_on
from ..money.second_person import PAGE as SECOND_PERSON
from ..money.second_person import count_waiting
from .begin import begin_page

_DAYS = 7  # on the timeline


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the timeline with what happens on it."""

    date: date
    is_today: bool
    events: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that needs a person; it leaves the list by being done. `urgent` is marked."""

    text: str
    why: str
    url: str = ""
    action: str = ""
    urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class WeekFigures:
    """Orders so far, and at the same time after the opening of the sale before; amounts are minor units."""

    orders: int
    orders_before: int | None
    average: int
    average_before: int | None
    fullest_slot: str
    fullest_count: int


@dataclass(frozen=True, kw_only=True)
class SaleWeek:
    """What the page shows of one sale."""

    sale: Sale
    now: datetime
    coordination: Coordination | None
    orders: Sequence[OrderSummary]
    before: SaleSession | None
    orders_before: Sequence[OrderSummary]
    sold_out: tuple[str, ...]
    low: tuple[str, ...]
    on_sale: int
    payment_problems: int
    conflicts: int
    open: Open | None  # of hand-outs that are over; None: the reader sees no money
    second_person: int  # acts of others that wait for the reader's yes
    has_next: bool
    following: SaleSession | None
    offered: Offered  # the ways in which customers get their goods, of which they choose one
    undelivered: Sequence[Undelivered]
    shortfalls: Sequence[ShortLine]

    @property
    def session(self) -> SaleSession:
        return self.sale.session

    @property
    def is_open(self) -> bool:
        return is_open(self.session, self.now)

    @property
    def is_coming(self) -> bool:
        return is_coming(self.session, self.now)

    @property
    def valid_orders(self) -> list[OrderSummary]:
        return [order for order in self.orders if order.stands]

    @property
    def unconfirmed(self) -> int:
        """Orders of guests who have not followed the link in their e-mail yet."""
        return sum(order.confirm_by is not None for order in self.orders)


def week_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "sales:read")
        sessions = recent_sessions(tx, desk.enterprise.id)
        session = session_of_page(tx, visit, desk.enterprise.id, sessions)
        week = _load(tx, visit, desk, session, sessions) if session else None
        added_parts = page_parts(tx, visit, "week", desk.enterprise.id, desk.scopes)
    if week is None and desk.enterprise.is_hub and desk.may("sales:write"):
        return begin_page(visit)
    if week is None:  # a producer
        return visit.redirect(f"{desk.address}/bring")
    methods = len(payment_methods(visit.instance, desk.enterprise.id, visit.language))
    return show(
        visit,
        desk,
        "week",
        at="week",
        week=week,
        added_parts=added_parts,
        session=week.session,
        sessions=sessions,
        days=timeline(visit, week),
        figures=figures(visit, week),
        tasks=list(tasks(visit, desk, week, methods)),
        closes_in=time_left(visit, week.session.closes_at, week.now),
        opens_in=time_left(visit, week.session.opens_at, week.now),
    )


def _load(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sessions: Sequence[SaleSession]) -> SaleWeek:
    before = session_before(sessions, session)
    shop_id = desk.enterprise.id
    groups = [group.id for group in list_categories(tx, shop_id)]
    sold_out = offers_for(tx, session.id, groups, sold_out=True)  # what only a group sees is on sale too
    coordinates = session.coordinator_id == shop_id
    orders = summaries_of_session(tx, shop_id, session.id) if desk.may("orders:read") else ()
    shown = {order.id for order in orders}
    matters = session == current_session(sessions, tx.now)  # what belongs to no sale, or to another, stands on this one
    return SaleWeek(
        sale=sale_by_id(tx, session.id),
        now=tx.now,
        coordination=coordination_by_id(tx, session.coordination_id, shop_id) if coordinates else None,
        orders=orders,
        before=before,
        orders_before=summaries_of_session(tx, shop_id, before.id) if before and desk.may("orders:read") else (),
        sold_out=tuple(offer.name for offer in sold_out),
        low=tuple(lot.name for lot in low_lots(tx, shop_id)) if desk.may("products:read") else (),
        on_sale=count_offers(tx, session.id, groups),
        payment_problems=len(undecided_problems(tx, shop_id)) if matters and desk.may("payments:read") else 0,
        open=open_on(tx, visit, desk) if matters and desk.may("payments:read") else None,
        second_person=count_waiting(tx, visit, desk),
        conflicts=count_conflicts(tx, shop_id, None if matters else shown) if desk.may("payments:read") else 0,
        has_next=any(each.opens_at > session.opens_at or each.begins_at > session.begins_at for each in sessions),
        following=session_after(sessions, session),
        offered=slots_of_sale(tx, visit, desk, session.id),
        undelivered=undelivered_at_session(tx, shop_id, session.id) if desk.may("orders:read") else (),
        shortfalls=shortfalls_at_session(tx, shop_id, session.id) if desk.may("orders:read") else (),
    )


# ------------------------------------------------------------------------------------------------ the timeline


def timeline(visit: Visit, week: SaleWeek) -> list[Day]:
    """The days on which something happens, and today; at most seven, from the opening of the sale."""
    zone = ZoneInfo(week.sale.shop.timezone)
    today = week.now.astimezone(zone).date()
    events: dict[date, list[str]] = {today: []}
    for moment, text in sorted(_events(visit, week), key=lambda event: event[0]):
        events.setdefault(moment.astimezone(zone).date(), []).append(text)
    days = sorted(events)
    first = min(days.index(today), max(0, len(days) - _DAYS))
    return [Day(date=day, is_today=day == today, events=tuple(events[day])) for day in days[first : first + _DAYS]]


def _events(visit: Visit, week: SaleWeek) -> Iterator[tuple[datetime, str]]:
    language, session, zone = visit.language, week.session, week.sale.shop.timezone

    def at(moment: datetime, text: str) -> tuple[datetime, str]:
        return moment, translate(language, text).format(hour=format_hour(moment, zone, language))

    yield at(session.opens_at, "Opening {hour}")
    yield at(session.closes_at, "Closing {hour}")
    yield at(session.begins_at, "Hand-out from {hour}")
    if session.ends_at.date() != session.begins_at.date():
        yield at(session.ends_at, "Hand-out until {hour}")
    cut_offs = [supplier.closes_at for supplier in (week.coordination.suppliers if week.coordination else ())]
    for moment in sorted({moment for moment in cut_offs if moment is not None and moment < session.closes_at}):
        number = cut_offs.count(moment)
        text = plural(language, "{number} producer closes {hour}", "{number} producers close {hour}", number)
        yield moment, text.format(number=number, hour=format_hour(moment, zone, language))
    if week.is_open:
        number = len(week.valid_orders)
        yield (
            week.now,
            plural(language, "{number} order so far", "{number} orders so far", number).format(number=number),
        )


# ------------------------------------------------------------------------------------------------ figures


def figures(visit: Visit, week: SaleWeek) -> WeekFigures:
    """The figures of the sale, beside those of the sale before at the same time after its opening."""
    elapsed = week.now - week.session.opens_at
    before = [order for order in week.orders_before if order.state != "Cancelled"]
    at_same_time = [order for order in before if week.before and order.placed_at - week.before.opens_at <= elapsed]
    with_slot = [order for order in week.valid_orders if order.shipping]
    fullest = max(by_slot(with_slot).values(), key=len, default=[])
    return WeekFigures(
        orders=len(week.valid_orders),
        orders_before=len(at_same_time) if week.before else None,
        average=_average(week.valid_orders),
        average_before=_average(before) if before else None,
        fullest_slot=slot_label(fullest[0], week.offered) if fullest else "",
        fullest_count=len(fullest),
    )


def _average(orders: Sequence[OrderSummary]) -> int:
    """The average total, in minor units, half up."""
    number = len(orders)
    return (2 * sum(order.total for order in orders) + number) // (2 * number) if orders else 0


# ------------------------------------------------------------------------------------------------ what needs somebody


def tasks(visit: Visit, desk: Desk, week: SaleWeek, methods: int) -> Iterator[Task]:
    """What needs somebody now, the urgent first."""
    tasks_now = [
        *_of_the_sale(visit, week, methods),
        *_of_the_suppliers(visit, desk, week),
        *_of_the_stock(visit, desk, week),
        *_of_the_day(visit, desk, week),
        *_of_the_money(visit, desk, week),
    ]
    yield from sorted(tasks_now, key=lambda task: not task.urgent)


def _repeats(week: SaleWeek) -> bool:
    """Whether a worker makes the next sale by itself: the rhythm stays at this one until it has."""
    return week.coordination is not None and week.coordination.rhythm is not None


def _mails_reach_nobody(visit: Visit) -> bool:
    """Whether e-mails are only written as files, though people reach this instance: not on a machine that tries it."""
    settings = visit.instance.settings
    return not settings.mail.host and settings.base_url.startswith("https://")


def _of_the_sale(visit: Visit, week: SaleWeek, methods: int) -> Iterator[Task]:
    language, session = visit.language, week.session
    may_sell = week.is_open or week.is_coming
    if may_sell and not methods:
        why = translate(language, "Switch on cash, bank transfer or another way to pay, or nobody can order.")
        yield Task(text=translate(language, "Customers have no way to pay"), why=why, urgent=True)
    if may_sell and _mails_reach_nobody(visit):
        text = translate(language, "E-mails reach nobody yet")
        why = translate(
            language,
            "Guests cannot confirm orders: whoever runs the server names a mail server in instance.toml (mail.host).",
        )
        yield Task(text=text, why=why, urgent=True)
    if may_sell and not week.offered:
        text = translate(language, "Customers cannot choose how they get their goods")
        why = translate(language, "This sale has no pickup slots and no deliveries: its orders name no place.")
        url = f"/office/{session.enterprise_id}/sale/{session.id}" if week.coordination else ""
        yield Task(text=text, why=why, url=url, action=translate(language, "Check it"), urgent=True)
    if week.is_coming and session.begins_at < session.closes_at:
        why = translate(language, "What is ordered after that must be there already.")
        url = f"/office/{session.enterprise_id}/sale/{session.id}" if week.coordination else ""
        text = translate(language, "The hand-out begins before the sale closes")
        yield Task(text=text, why=why, url=url, action=translate(language, "Check it"))
    if may_sell and not week.on_sale:
        why = translate(language, "The page of this sale is empty.")
        yield Task(text=translate(language, "Nothing is on sale"), why=why, urgent=True)
    if week.is_open and week.sold_out:
        text = plural(language, "{number} product is sold out", "{number} products are sold out", len(week.sold_out))
        names = ", ".join(week.sold_out[:3]) + (" …" if len(week.sold_out) > 3 else "")
        shop = translate(language, "See the sale")
        yield Task(text=text.format(number=len(week.sold_out)), why=names, url=f"/sales/{session.id}", action=shop)
    if not may_sell and not week.has_next and not _repeats(week):
        is_over = week.now >= session.ends_at
        why = translate(
            language,
            "This one is over, and nothing is planned after it."
            if is_over
            else "This one has closed, and nothing is planned after it.",
        )
        text, action = translate(language, "No next sale is planned"), translate(language, "Plan it")
        url = f"/office/{session.enterprise_id}/sale/{session.id}#next" if week.coordination else ""
        yield Task(text=text, why=why, url=url, action=action)


def _of_the_suppliers(visit: Visit, desk: Desk, week: SaleWeek) -> Iterator[Task]:
    """Suppliers who bring less than was ordered, until the hand-out begins or all is handed out: till then, other goods
    can be found."""
    handed_out = any(order.fulfilment_state == "Fulfilled" for order in week.orders)
    if week.now >= week.session.begins_at or (handed_out and not any(order.is_going for order in week.orders)):
        return
    language = visit.language
    for order_id, lines in groupby(week.shortfalls, lambda shortfall: shortfall.purchase_order_id):
        goods = list(lines)
        text = translate(language, "{supplier} brings less than was ordered").format(supplier=goods[0].supplier)
        why = ", ".join(f"{line.name} {line.quantity} → {line.confirmed}" for line in goods[:3])
        url, action = f"{desk.address}/receive/{order_id}", translate(language, "See the answer")
        yield Task(text=text, why=why + (" …" if len(goods) > 3 else ""), url=url, action=action, urgent=True)


def _of_the_stock(visit: Visit, desk: Desk, week: SaleWeek) -> Iterator[Task]:
    if week.low:
        text = plural(visit.language, "{number} stock runs low", "{number} stocks run low", len(week.low))
        names = ", ".join(week.low[:3]) + (" …" if len(week.low) > 3 else "")
        url, action = f"{desk.address}/products", translate(visit.language, "To the stock")
        yield Task(text=text.format(number=len(week.low)), why=names, url=url, action=action)


def _of_the_day(visit: Visit, desk: Desk, week: SaleWeek) -> Iterator[Task]:
    language, session = visit.language, week.session
    if not desk.may("orders:pack") or week.is_open or week.is_coming:
        return
    going = [order for order in week.valid_orders if order.is_going]
    handout = f"{desk.address}/handout/{session.id}"
    if going and week.now < session.ends_at:
        text = plural(language, "{number} order to hand out", "{number} orders to hand out", len(going))
        begun = week.now >= session.begins_at
        why = translate(language, "It began at {hour}." if begun else "It begins at {hour}.").format(
            hour=format_hour(session.begins_at, week.sale.shop.timezone, language)
        )
        near = session.begins_at - week.now < timedelta(hours=12)
        action = translate(language, "Hand out")
        yield Task(text=text.format(number=len(going)), why=why, url=handout, action=action, urgent=near)
    if going and week.now >= session.ends_at:
        text = plural(language, "{number} order was not collected", "{number} orders were not collected", len(going))
        why = ", ".join(order.name for order in going[:3]) + (" …" if len(going) > 3 else "")
        action = translate(language, "See who")
        yield Task(text=text.format(number=len(going)), why=why, url=f"{handout}?show=left", action=action, urgent=True)
    for goods in week.undelivered if session.books_closed_at is None else ():
        text = translate(language, "{pieces} × {name} did not come, and is still on orders")
        why = ", ".join(f"{order.number} · {order.name}" for order in goods.orders[:3])
        url, action = f"{desk.address}/receive/{goods.purchase_order_id}", translate(language, "See who")
        text = text.format(pieces=goods.pieces, name=goods.name)
        yield Task(text=text, why=why + (" …" if len(goods.orders) > 3 else ""), url=url, action=action, urgent=True)
    unweighed = sum(order.unweighed for order in going)
    if unweighed:
        text = plural(language, "{number} line to weigh", "{number} lines to weigh", unweighed)
        why = translate(language, "Their amounts are estimates until then.")
        action = translate(language, "Weigh")
        yield Task(text=text.format(number=unweighed), why=why, url=f"{handout}?show=weigh", action=action)


def _of_the_money(visit: Visit, desk: Desk, week: SaleWeek) -> Iterator[Task]:
    language, session = visit.language, week.session
    if not desk.sees_money:
        return
    if week.second_person:
        text = plural(
            language, "{number} thing waits for your yes", "{number} things wait for your yes", week.second_person
        )
        why = translate(language, "Somebody of yours has asked for it, and it needs a second person.")
        url, action = f"{desk.address}/{SECOND_PERSON}", translate(language, "Look at it")
        yield Task(text=text.format(number=week.second_person), why=why, url=url, action=action, urgent=True)
    if week.conflicts:
        text = plural(language, "{number} order was paid twice", "{number} orders were paid twice", week.conflicts)
        why = translate(language, "Two telephones took money for the same order at the hand-out.")
        url, action = f"{desk.address}/money", translate(language, "Decide")
        yield Task(text=text.format(number=week.conflicts), why=why, url=url, action=action, urgent=True)
    if week.payment_problems:
        number = week.payment_problems
        text = plural(language, "{number} payment needs a decision", "{number} payments need a decision", number)
        why = translate(language, "A payment provider has sent what does not fit an order.")
        url, action = f"{desk.address}/money", translate(language, "Decide")
        yield Task(text=text.format(number=number), why=why, url=url, action=action, urgent=True)
    if desk.keeps_books and week.now >= session.ends_at and session.books_closed_at is None:
        yield Task(
            text=translate(language, "The books of this sale are still open"),
            why=translate(language, "See what is missing, then close the week."),
            url=f"{desk.address}/money/close?sale={session.id}",
            action=translate(language, "Close the week"),
        )
    unpaid = [order for order in week.valid_orders if order.due > 0]
    if unpaid and week.now >= session.ends_at:
        text = plural(language, "{number} order is not paid", "{number} orders are not paid", len(unpaid))
        amount = format_money(sum(order.due for order in unpaid), week.sale.shop.currency, language)
        url = f"{desk.address}/orders?sale={session.id}&show=unpaid"
        action = translate(language, "See who")
        yield Task(text=text.format(number=len(unpaid)), why=amount, url=url, action=action, urgent=True)
    owed = [order for order in week.orders if order.due < 0]
    if owed:
        text = plural(language, "{number} customer gets money back", "{number} customers get money back", len(owed))
        amount = format_money(-sum(order.due for order in owed), week.sale.shop.currency, language)
        url, action = f"{desk.address}/money", translate(language, "See who")
        yield Task(text=text.format(number=len(owed)), why=amount, url=url, action=action)
