"""The sale: make it longer, close it now, write a note on it, and open the next one by checking what is different."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import (
    Conflict,
    Invalid,
    NotFound,
    OrderSummary,
    Problem,
    Refused,
    SaleSession,
    Transaction,
    enabled_plugins,
    list_categories,
    read_moment,
)
from commensal.catalogs import listed_names
from commensal.pages import (
    NO_MISTAKES,
    Mistakes,
    Visit,
    mail_placeholders,
    mistakes,
    page_parts,
    refuse_unknown_placeholders,
    status_of,
)
from commensal.parts.distribution import prices_in_session, summaries_of_session
from commensal.parts.sale_calendar import absent_suppliers, clone_coordination
from commensal.parts.supply import purchase_orders_of, reopen_sale
from commensal.payments import payment_methods
from commensal.sale_sessions import (
    Coordination,
    change_coordination,
    change_session,
    coordination_by_id,
    is_open,
    offers_for,
    put_on_sale,
    sessions_of,
)

from ..frame.desk import Desk, open_desk
from ..frame.fields import fields_of, fields_with, is_sure, texts_in, typed_texts
from ..frame.render import show
from ..frame.sessions import chosen_session, recent_sessions, session_after, session_before, slots_of_sale
from .planned import (
    MOMENTS,
    REASON,
    Confirmation,
    asks_series,
    call_off,
    change_times,
    is_once,
    is_short,
    move_hand_out,
    pass_on,
    times_as_typed,
)

_WEEK = timedelta(days=7)
_MOST = 200  # suppliers of one sale
_NEXT_CLOSING, _NEXT_HAND_OUT = "next_closes_at", "next_begins_at"
WAS = "was/"  # before the name of a field: what the page has proposed
_SHOWN = 6  # goods named for each difference, unless all are asked for


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What is not as in the sale before, by names of products; `not_on_sale` are those of the catalogue.

    prices: name, price before and price now, in minor units, of goods that were ordered in the sale before
    """

    new: tuple[str, ...]
    gone: tuple[str, ...]
    sold_out: tuple[str, ...]
    not_on_sale: tuple[str, ...]
    prices: tuple[tuple[str, int, int], ...]


Action = Callable[[Transaction, Visit, Desk, SaleSession, Coordination], str | Confirmation]


def sale_page(
    visit: Visit,
    typed: dict[str, str] | None = None,
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
    asking: Confirmation | None = None,
) -> Response:
    with visit.read() as tx:
        desk, session, sale = _of_path(tx, visit)
        zone = desk.enterprise.zone
        sessions = recent_sessions(tx, desk.enterprise.id)
        before = session_before(sessions, session)
        later = session_after(sessions, session)
        now = tx.now
        differences = _differences(tx, desk, session, before)
        ships = bool(slots_of_sale(tx, visit, desk, session.id))
        added_parts = page_parts(tx, visit, "sale", desk.enterprise.id, desk.scopes, subject=session.id)
        placeholders = mail_placeholders(visit.instance, enabled_plugins(tx, desk.enterprise.id), visit.language)
        away = absent_suppliers(tx, session.id)
        placed = [
            order for order in summaries_of_session(tx, desk.enterprise.id, session.id) if order.state != "Cancelled"
        ]
    methods = payment_methods(visit.instance, desk.enterprise.id, visit.language)
    stored = {
        "closes_at": _local(session.closes_at, zone),
        **_proposed(sale, session, zone, now),
        "note": session.note,
        **fields_with("notes", session.notes),
        **fields_with("names", session.names),
        **times_as_typed(session, zone),
        REASON: "",
    }
    return show(
        visit,
        desk,
        "sale",
        at="sale",
        status=status,
        session=session,
        sale=sale,
        before=before,
        differences=differences,
        later=later,
        orders=len(placed),
        away=away,
        unconfirmed=sum(order.confirm_by is not None for order in placed),
        is_open=is_open(session, now),
        may_reopen=sale.cancelled_at is None and sale.closes_at <= now < session.begins_at,
        may_move=sale.cancelled_at is None and session.books_closed_at is None and _waits(placed),
        is_settled=sale.completed_at is not None or sale.cancelled_at is not None,
        typed=stored | (typed or {}),
        mistakes=errors,
        version=visit.form.get("version", "") or str(session.version),
        added_parts=added_parts,
        placeholders=placeholders,
        methods=methods,
        ships=ships,
        coming=now < session.opens_at,
        confirming=visit.query.get("ask", ""),
        asking=asking,
        done=visit.query.get("done", ""),
        followed=visit.query.get("series", ""),
        names_shown=None if "all" in visit.query else _SHOWN,
    )


def _of_path(tx: Transaction, visit: Visit) -> tuple[Desk, SaleSession, Coordination]:
    """The session of the path with its coordination. Raises `NotFound` unless the enterprise coordinates it itself."""
    desk = open_desk(tx, visit, "sales:write")
    session = chosen_session(tx, desk.enterprise.id, visit.path["session"])
    if session.coordinator_id != desk.enterprise.id:
        raise NotFound("other_coordinator", "Another enterprise coordinates this sale, and changes it.")
    return desk, session, coordination_by_id(tx, session.coordination_id, desk.enterprise.id)


def _waits(placed: Sequence[OrderSummary]) -> bool:
    """Whether all orders are still to be handed over."""
    return bool(placed) and all(order.is_going for order in placed)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    """The value of a field for day and time."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"


def _a_week_later(moment: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """The same weekday and hour of the clock on the wall, in the first week after `moment` that is still to come."""
    following = moment.astimezone(zone) + _WEEK
    while following <= now:
        following += _WEEK
    return following


def _proposed(sale: Coordination, session: SaleSession, zone: ZoneInfo, now: datetime) -> dict[str, str]:
    """The moments of the next sale: each on the weekday and at the hour that this one was planned for."""
    opening = _a_week_later(sale.plan_opens_at, zone, now)
    weeks = opening.date() - sale.plan_opens_at.astimezone(zone).date()
    moments = {_NEXT_CLOSING: sale.plan_closes_at, _NEXT_HAND_OUT: session.plan[0]}
    local = {name: _local(moment.astimezone(zone) + weeks, zone) for name, moment in moments.items()}
    proposed = {"opens_at": _local(opening, zone), **local}
    return proposed | {f"{WAS}{name}": text for name, text in proposed.items()}


def _differences(tx: Transaction, desk: Desk, session: SaleSession, before: SaleSession | None) -> Differences:
    groups = [group.id for group in list_categories(tx, desk.enterprise.id)]
    offers = {offer.item_id: offer for offer in offers_for(tx, session.id, groups)}
    earlier = {offer.item_id: offer for offer in offers_for(tx, before.id, groups)} if before else {}
    for_everybody = offers_for(tx, session.id, []) if groups else offers.values()
    listed = listed_names(tx, desk.enterprise.id)
    prices = prices_in_session(tx, before.id) if before else {}
    return Differences(
        prices=tuple(
            (offer.name, prices[offer.item_id], offer.price)
            for offer in for_everybody
            if prices.get(offer.item_id, offer.price) != offer.price
        ),
        new=tuple(offer.name for id, offer in offers.items() if before and id not in earlier),
        gone=tuple(offer.name for id, offer in earlier.items() if id not in offers),
        sold_out=tuple(offer.name for offer in offers.values() if offer.left == 0),
        not_on_sale=tuple(
            item.name
            for item in listed
            if item.catalog_id == session.catalog_id and item.priced and item.item_id not in offers
        ),
    )


# ------------------------------------------------------------------------------------------------ what is done


def post_sale(visit: Visit) -> Response:
    """Does what the form of the page is for: a new closing, closing now, a note, all on sale, or the next sale."""
    actions: dict[str, Action] = {
        "close": _close,
        "reopen": _open_again,
        "all": _put_all_on_sale,
        "next": _plan_next,
        "note": _write_note,
        "names": _write_names,
        "times": change_times,
        "day": move_hand_out,
        "cancel": call_off,
    }
    action = actions.get(visit.query.get("then", ""), _extend)
    following = (_NEXT_CLOSING, _NEXT_HAND_OUT)
    was = (f"{WAS}{name}" for name in ("opens_at", *following))
    times = (*following, *was, *(f"when/{name}" for name in MOMENTS))
    names = ("closes_at", "opens_at", *times, REASON, "note", *fields_of("notes"), *fields_of("names"))
    typed = {name: visit.form[name] for name in names if name in visit.form}
    try:
        with visit.write() as tx:
            desk, session, sale = _of_path(tx, visit)
            result = action(tx, visit, desk, session, sale)
    except Refused as error:
        return sale_page(visit, typed, mistakes(visit, error, typed.__contains__), status_of(error))
    if isinstance(result, Confirmation):
        return sale_page(visit, typed, asking=result)
    return visit.redirect(result)


def _extend(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination) -> str | Confirmation:
    closes_at = _read_moment(visit, desk, "closes_at")
    if closes_at <= tx.now:
        text = "This moment has passed. To close the sale at once, use “Close now”."
        raise Invalid([Problem("passed", text, "/closes_at")])
    if closes_at > session.ends_at:
        text = "The hand-out would be over before the sale closes."
        raise Invalid([Problem("closes_after_distribution", text, "/closes_at")])
    if visit.form["closes_at"] == _local(session.closes_at, desk.enterprise.zone):
        return f"{desk.address}/sale/{session.id}?done=closing"
    doubts = {
        "earlier": closes_at < session.closes_at,
        "late": closes_at > session.begins_at,
        "short": is_short(session.opens_at, closes_at, tx.now),
    }
    in_series = asks_series(tx, visit, sale)
    if in_series or (any(doubts.values()) and not is_sure(visit)):
        return Confirmation(what="closing", values={"closes_at": closes_at, "series": in_series, **doubts})
    change_coordination(tx, sale.id, desk.enterprise.id, sale.version, once=is_once(visit), closes_at=closes_at)
    return f"{desk.address}/sale/{session.id}?done=closing{pass_on(tx, visit, session, sale)}"


def _close(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination) -> str:
    if not is_open(session, tx.now):
        raise Conflict("not_open", "This sale is not open.")
    change_coordination(tx, sale.id, desk.enterprise.id, sale.version, closes_at=tx.now)
    return f"{desk.address}/sale/{session.id}?done=closed"


def _open_again(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination
) -> str | Confirmation:
    """Opens the closed sale again, once its page has told what was sent out at the closing. Raises what `reopen_sale`
    raises, also instead of the question."""
    closes_at = _read_moment(visit, desk, "closes_at")
    in_series = asks_series(tx, visit, sale)
    sure = is_sure(visit) and not in_series
    with tx.attempt() as attempt:
        reopen_sale(tx, visit.instance.hooks, sale.id, desk.enterprise.id, sale.version, closes_at, once=is_once(visit))
        if not sure:
            attempt.rollback()
    if sure:
        return f"{desk.address}/sale/{session.id}?done=reopened{pass_on(tx, visit, session, sale)}"
    supplier_orders = purchase_orders_of(tx, desk.enterprise.id, session_id=session.id, limit=_MOST)
    return Confirmation(what="reopening", values={"closes_at": closes_at, "told": supplier_orders, "series": in_series})


def _put_all_on_sale(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination
) -> str | Confirmation:
    if not is_sure(visit):
        return Confirmation(what="all", values={})
    put_on_sale(tx, session.id, desk.enterprise.id)
    return f"{desk.address}/sale/{session.id}?done=items"


def _write_note(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination) -> str:
    typed = texts_in(typed_texts(visit, "notes"), "notes")
    notes, note = {**session.notes, **typed}, visit.form.get("note", "")
    known = mail_placeholders(visit.instance, enabled_plugins(tx, desk.enterprise.id), visit.language)
    for text, where in ((note, "/note"), *((text, f"/notes/{language}") for language, text in typed.items())):
        refuse_unknown_placeholders(text, known, where)
    change_session(tx, visit.instance.hooks, session.id, desk.enterprise.id, visit.form_version, note=note, notes=notes)
    return f"{desk.address}/sale/{session.id}?done=note"


def _write_names(tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination) -> str:
    names = {**session.names, **texts_in(typed_texts(visit, "names"), "names")}
    change_session(tx, visit.instance.hooks, session.id, desk.enterprise.id, visit.form_version, names=names)
    return f"{desk.address}/sale/{session.id}?done=names"


def _plan_next(
    tx: Transaction, visit: Visit, desk: Desk, session: SaleSession, sale: Coordination
) -> str | Confirmation:
    """Plans a copy. Its times keep the seconds, which no field shows. A closing and a hand-out that nobody has touched
    follow another day of the opening by whole weeks: they keep their weekday and hour."""
    opens_at = _read_moment(visit, desk, "opens_at", like=sale.plan_opens_at)
    weeks = _weeks_between(visit.form.get(f"{WAS}opens_at", ""), opens_at)
    moments = {
        name: _read_moment(visit, desk, name, like=like) + (timedelta(0) if _is_touched(visit, name) else weeks)
        for name, like in ((_NEXT_CLOSING, sale.plan_closes_at), (_NEXT_HAND_OUT, session.plan[0]))
    }
    closes_at = moments[_NEXT_CLOSING]
    if opens_at < closes_at and is_short(opens_at, closes_at, tx.now) and not is_sure(visit):
        return Confirmation(what="next", values={"opens_at": opens_at, "closes_at": closes_at, "series": False})
    with _at_fields({"/closes_at": f"/{_NEXT_CLOSING}", "/begins_at": f"/{_NEXT_HAND_OUT}"}):
        copy = clone_coordination(
            tx,
            visit.instance.hooks,
            sale.id,
            desk.enterprise.id,
            opens_at,
            closes_at=closes_at,
            begins_at=moments[_NEXT_HAND_OUT],
        )
    own = [each for each in sessions_of(tx, copy.id, desk.enterprise.id) if each.enterprise_id == desk.enterprise.id]
    return f"{desk.address}/sale/{own[0].id}?done=planned" if own else desk.address


def _weeks_between(proposed: str, opens_at: datetime) -> timedelta:
    """The whole weeks by which an opening lies after the one that was proposed (as its field had it)."""
    try:
        days = (opens_at.date() - read_moment(proposed).date()).days
    except ValueError:
        return timedelta(0)
    return _WEEK * round(days / 7)


def _is_touched(visit: Visit, name: str) -> bool:
    return visit.form.get(name, "") != visit.form.get(f"{WAS}{name}", "")


@contextmanager
def _at_fields(fields: Mapping[str, str]) -> Iterator[None]:
    """Raises an `Invalid` of the block with the names of the page's fields."""
    try:
        yield
    except Invalid as error:
        problems = [replace(each, where=fields.get(each.where, each.where)) for each in error.problems]
        raise Invalid(problems) from error


def _read_moment(visit: Visit, desk: Desk, name: str, *, like: datetime | None = None) -> datetime:
    """The moment of a field for day and time, meant in the time zone of the enterprise, with the seconds of another one
    if it is to be `like` that. Raises `Invalid`."""
    try:
        local = read_moment(visit.form.get(name, ""))
        if like is not None:
            local = local.replace(second=like.second, microsecond=like.microsecond)
        return local.replace(tzinfo=desk.enterprise.zone)
    except ValueError:
        raise Invalid([Problem("moment", "Give a day and a time, like 2026-06-04 18:00.", f"/{name}")]) from None
