"""Writes the sales of the region, week by week up to the present one, with the same commands as a running instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ...hooks import specifications
from ...hooks.values import DemoPlace
from ...instance import Instance
from ...orders.fulfil import complete_due
from ...sale_sessions.coordinations import open_coordination
from ...sale_sessions.on_sale import put_on_sale, take_off_sale
from ...sale_sessions.questions import coordinations_of, sessions_of
from ...sale_sessions.sessions import add_session
from ...sale_sessions.values import SaleSession, Supplier
from ...storage.database import Transaction
from ..sale_calendar.clone import repeat_due
from ..terminal.shell import spoken
from .orders import hand_out, order_of_suppliers, place_orders
from .values import DemoRegion, Enterprises, Hub, PeopleIds, Progress, SeasonalItem, at

ZONE = ZoneInfo("Europe/Paris")
FIRST_WEEK = 4  # weeks ago
WEEKLY = "FREQ=WEEKLY"

_MARKET, _OF_THE_WEEK, _OF_TWO_WEEKS = "Marché du quartier", "Vente de la semaine", "Vente de la quinzaine"
_NAMES: dict[str, dict[str, str]] = {
    _MARKET: {"de": "Markt im Viertel", "en": "Neighbourhood market"},
    _OF_THE_WEEK: {"de": "Verkauf der Woche", "en": "Weekly sale"},
    _OF_TWO_WEEKS: {"de": "Verkauf alle zwei Wochen", "en": "Fortnightly sale"},
}


@dataclass(frozen=True, kw_only=True)
class SaleTimes:
    """The times of a week's sales, with time zones."""

    opens_at: datetime
    closes_at: datetime
    bread_closes_at: datetime
    begins_at: datetime
    ends_at: datetime


def week_of(now: datetime, weeks_ago: int) -> SaleTimes:
    """This week's sale opened yesterday evening, closes in two days, and is handed out the evening after."""
    today = now.astimezone(ZONE).date() - timedelta(weeks=weeks_ago)
    return SaleTimes(
        opens_at=_at(today, -1, 18),
        closes_at=_at(today, 2, 20),
        bread_closes_at=_at(today, 1, 20),
        begins_at=_at(today, 3, 16),
        ends_at=_at(today, 3, 19),
    )


def hold_sales(
    instance: Instance,
    region: DemoRegion,
    people: PeopleIds,
    enterprises: Enterprises,
    catalogs: Sequence[Sequence[SeasonalItem]],
    watch: Progress,
) -> None:
    """Opens sales, places orders, closes the sales and hands orders out, in one transaction for each week.

    At the end each hub has a sale under way, with its first orders, and each hub that sells every week hands out
    another one today.
    """
    markets: dict[int, SaleSession] = {}
    sessions: dict[int, SaleSession] = {}
    for weeks_ago in watch(range(FIRST_WEEK, -1, -1), spoken("Sales")):
        with instance.store.write() as tx:
            week = week_of(tx.now, weeks_ago)
            before_opening = at(tx, week.opens_at - timedelta(hours=2))
            if weeks_ago == 0:
                markets = _open_markets(tx, region, enterprises, catalogs)
            sessions = {
                place: _next_session(before_opening, region, enterprises, place, week)
                for place, hub in enumerate(region.hubs)
                if weeks_ago in (0, *hub.past)
            }
            for place, session in sessions.items():
                _put_season_on_sale(before_opening, session, catalogs[place])
            if weeks_ago:
                drawn = [sale for sale in region.past_sales if sale.weeks_ago == weeks_ago]
                placed = place_orders(tx, instance.hooks, region, people, drawn, sessions)
                at_closing = at(tx, week.closes_at)
                complete_due(at_closing)
                while repeat_due(at_closing, instance.hooks):
                    pass  # it handles a limited number in each call
                for place, session in sessions.items():
                    order_of_suppliers(tx, instance.hooks, session, people.packers[place])
                hand_out(tx, instance.hooks, placed)
    with instance.store.write() as tx:
        while_open = at(tx, market_week(tx.now).closes_at - timedelta(hours=1))
        for hub_id in enterprises.hubs:
            demo_place = DemoPlace(instance=instance, enterprise_id=hub_id, seed=region.seed)
            instance.hooks.each(specifications.demo_data, tx=while_open, place=demo_place)
        place_orders(tx, instance.hooks, region, people, region.running_sales, sessions)
        last_week = [sale for sale in region.past_sales if sale.weeks_ago == 1 and sale.hub in markets]
        placed = place_orders(tx, instance.hooks, region, people, last_week, markets)
        complete_due(at(tx, market_week(tx.now).closes_at))
        for place, session in markets.items():
            order_of_suppliers(tx, instance.hooks, session, people.packers[place])
        hand_out(tx, instance.hooks, placed[: len(placed) // 2])


def market_week(now: datetime) -> SaleTimes:
    """A sale that closed yesterday at noon, and whose distribution began an hour ago."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    yesterday = now.astimezone(ZONE).date() - timedelta(days=1)
    closes_at = _at(yesterday, 0, 12)
    return SaleTimes(
        opens_at=closes_at - timedelta(days=5),
        closes_at=closes_at,
        bread_closes_at=closes_at,
        begins_at=hour - timedelta(hours=1),
        ends_at=hour + timedelta(hours=3),
    )


def _open_markets(
    tx: Transaction, region: DemoRegion, enterprises: Enterprises, catalogs: Sequence[Sequence[SeasonalItem]]
) -> dict[int, SaleSession]:
    """Opens the sale that is handed out today, at each hub that sells every week. By the index of the hub."""
    week = market_week(tx.now)
    before_opening = at(tx, week.opens_at - timedelta(hours=2))
    markets = {}
    for place, hub in enumerate(region.hubs):
        if hub.rhythm == WEEKLY:
            session = _open(before_opening, region, enterprises, place, week, name=_MARKET, rhythm="")
            _put_season_on_sale(before_opening, session, catalogs[place])
            markets[place] = session
    return markets


def _next_session(
    tx: Transaction, region: DemoRegion, enterprises: Enterprises, place: int, week: SaleTimes
) -> SaleSession:
    """The hub's next sale. The first one is opened here; later ones follow by its rhythm."""
    hub_id, hub = enterprises.hubs[place], region.hubs[place]
    for coordination in coordinations_of(tx, hub_id):
        if coordination.rhythm:
            return sessions_of(tx, coordination.id, hub_id)[0]
    return _open(tx, region, enterprises, place, week, name=_name(hub), rhythm=hub.rhythm)


def _open(
    tx: Transaction,
    region: DemoRegion,
    enterprises: Enterprises,
    place: int,
    week: SaleTimes,
    *,
    name: str,
    rhythm: str,
) -> SaleSession:
    hub_id = enterprises.hubs[place]
    sale = open_coordination(
        tx,
        coordinator_id=hub_id,
        name=name,
        opens_at=week.opens_at,
        closes_at=week.closes_at,
        rhythm=rhythm,
        suppliers=[
            Supplier(
                enterprise_id=enterprises.producers[number],
                closes_at=week.bread_closes_at if producer.kind == "bakery" else None,
            )
            for number, producer in enumerate(region.producers)
            if place in producer.hubs
        ],
    )
    return add_session(
        tx,
        sale.id,
        hub_id,
        shop_id=hub_id,
        catalog_id=enterprises.catalogs[place],
        begins_at=week.begins_at,
        ends_at=week.ends_at,
        names=_NAMES[name],
        note="Pensez à rapporter les bouteilles et les bocaux consignés.",
        notes={
            "de": "Denken Sie daran, die Pfandflaschen und Pfandgläser mitzubringen.",
            "en": "Please bring back the bottles and jars that you paid a deposit for.",
        },
    )


def _put_season_on_sale(tx: Transaction, session: SaleSession, catalog: Sequence[SeasonalItem]) -> None:
    month = session.begins_at.astimezone(ZONE).month
    out_of_season = [item.item_id for item in catalog if month not in item.months]
    put_on_sale(tx, session.id, session.coordinator_id, [item.item_id for item in catalog if month in item.months])
    take_off_sale(tx, session.id, session.coordinator_id, out_of_season)


def _name(hub: Hub) -> str:
    return _OF_THE_WEEK if hub.rhythm == WEEKLY else _OF_TWO_WEEKS


def _at(day: date, days: int, hour: int) -> datetime:
    return datetime.combine(day + timedelta(days=days), time(hour), tzinfo=ZONE)
