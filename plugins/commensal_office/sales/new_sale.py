"""Plans a sale from nothing: when it opens and closes, when goods are handed out, whose goods it sells."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    Problem,
    Refused,
    Transaction,
    enterprises_by_id,
    format_moment,
    read_moment,
)
from commensal.catalogs import first_catalog
from commensal.enterprises import grants_received
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.sale_sessions import Supplier, add_session, open_coordination, put_on_sale

from ..frame.desk import Desk, open_desk
from ..frame.render import show
from ..frame.sessions import slots_of_sale
from .planned import is_short

_MOMENTS = ("opens_at", "closes_at", "begins_at", "ends_at")
_FIELDS = ("name", *_MOMENTS, "weekly")
_SUPPLIER = "supplier/"  # before the id of a producer, in the names of fields
_NO_WAY, _EARLY, _SHORT = "no_way_to_get_goods", "hand_out_before_closing", "open_for_a_short_time"
_ASKED = (_NO_WAY, _EARLY, _SHORT)
_SURE = "sure/"  # before the code of a question that was asked already, in the names of fields
_CLOSING, _HAND_OUT = 3, 4  # days after the opening, as they are proposed


_EARLY_TEXT = (
    "The hand-out begins before the sale closes: what is ordered after that must be there already. Change the times, "
    "or press again if that is meant."
)
_SHORT_TEXT = (
    "Customers could order from {opening} to {closing} only. Is the closing right? Change the times, or press again if "
    "that is meant."
)
_NO_WAY_TEXT = (
    "This sale opens at once, and customers cannot choose yet how they get their goods: slots and deliveries are added "
    "on its page, once it is planned. Let it open later, or press again to open it all the same."
)


def new_sale_page(
    visit: Visit,
    typed: dict[str, str] | None = None,
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
    *,
    asks: str = "",
) -> Response:
    """The form of a new sale. `asks`: the code of a question that is answered by sending it once more."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "sales:write")
        suppliers = _possible_suppliers(tx, desk)
        now = tx.now
    chosen = {supplier.id for supplier in suppliers if typed is None or f"{_SUPPLIER}{supplier.id}" in visit.form}
    sure = {name for name in visit.form if name.startswith(_SURE)} | ({f"{_SURE}{asks}"} if asks else set())
    return show(
        visit,
        desk,
        "new_sale",
        at="week",
        status=status,
        typed=typed or _usual(desk, now),
        suppliers=suppliers,
        chosen=chosen,
        mistakes=errors,
        asks=asks,
        sure=sorted(sure),
        opens=asks == _NO_WAY,
    )


def _possible_suppliers(tx: Transaction, desk: Desk) -> list[Enterprise]:
    """The enterprises whose goods this one may sell, itself included."""
    ids = {grant.grantor_id for grant in grants_received(tx, desk.enterprise.id) if grant.scope == "WriteOrders"}
    others = [each for each in enterprises_by_id(tx, ids).values() if each.archived_at is None]
    return [desk.enterprise, *sorted(others, key=lambda each: each.name)]


def _usual(desk: Desk, now: datetime) -> dict[str, str]:
    """A sale that opens tomorrow evening, closes three days later, and is handed out on the day after."""
    evening = now.astimezone(desk.enterprise.zone).replace(hour=18, minute=0)
    opening = evening + timedelta(days=1)
    hand_out = opening + timedelta(days=_HAND_OUT)
    moments = {
        "opens_at": opening,
        "closes_at": opening.replace(hour=20) + timedelta(days=_CLOSING),
        "begins_at": hand_out.replace(hour=17),
        "ends_at": hand_out.replace(hour=19),
    }
    return {"name": "", "weekly": "1", **{name: f"{moment:%Y-%m-%dT%H:%M}" for name, moment in moments.items()}}


def post_new_sale(visit: Visit) -> Response:
    """Plans the sale and puts everything on sale that its producers let the hub sell."""
    typed = {name: visit.form.get(name, "").strip() for name in _FIELDS}
    try:
        with visit.write() as tx:
            desk = open_desk(tx, visit, "sales:write")
            address = _plan(tx, visit, desk, typed)
    except Refused as error:
        errors, asks = mistakes(visit, error, _FIELDS.__contains__), error.code in _ASKED
        return new_sale_page(visit, typed, errors, status_of(error), asks=error.code if asks else "")
    return visit.redirect(address)


def _plan(tx: Transaction, visit: Visit, desk: Desk, typed: dict[str, str]) -> str:
    moments = _read_moments(typed, desk.enterprise.zone)
    shop_id = desk.enterprise.id
    suppliers = [
        Supplier(enterprise_id=supplier.id, closes_at=None)
        for supplier in _possible_suppliers(tx, desk)
        if f"{_SUPPLIER}{supplier.id}" in visit.form
    ]
    sale = open_coordination(
        tx,
        coordinator_id=shop_id,
        name=typed["name"],
        opens_at=moments["opens_at"],
        closes_at=moments["closes_at"],
        rhythm="FREQ=WEEKLY" if typed["weekly"] else None,
        suppliers=suppliers,
    )
    session = add_session(
        tx,
        sale.id,
        shop_id,
        shop_id=shop_id,
        catalog_id=first_catalog(tx, desk.enterprise.id).id,
        begins_at=moments["begins_at"],
        ends_at=moments["ends_at"],
    )
    put_on_sale(tx, session.id, shop_id)
    ships = slots_of_sale(tx, visit, desk, session.id)
    opens_at, closes_at = moments["opens_at"], moments["closes_at"]
    if opens_at < closes_at and is_short(opens_at, closes_at, tx.now) and f"{_SURE}{_SHORT}" not in visit.form:
        zone, language = desk.enterprise.timezone, visit.language
        opening, closing = (format_moment(each, zone, language) for each in (opens_at, closes_at))
        raise Conflict(_SHORT, _SHORT_TEXT, opening=opening, closing=closing)
    if moments["begins_at"] < moments["closes_at"] and f"{_SURE}{_EARLY}" not in visit.form:
        raise Conflict(_EARLY, _EARLY_TEXT)
    if not ships and moments["opens_at"] <= tx.now and f"{_SURE}{_NO_WAY}" not in visit.form:
        raise Conflict(_NO_WAY, _NO_WAY_TEXT)
    return f"{desk.address}/sale/{session.id}?done=planned"


def _read_moments(typed: dict[str, str], zone: ZoneInfo) -> dict[str, datetime]:
    """The moments that were typed, meant in the hub's time zone. Raises `Invalid` with every one that is none."""
    moments, problems = dict[str, datetime](), []
    for name in _MOMENTS:
        try:
            moments[name] = read_moment(typed[name]).replace(tzinfo=zone)
        except ValueError:
            problems.append(Problem("moment", "Give a day and a time, like 2026-06-04 18:00.", f"/{name}"))
    if problems:
        raise Invalid(problems)
    return moments
