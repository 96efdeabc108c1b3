"""Commands on sale sessions. A sale session is the part of a coordination at one shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy import delete, insert, select

from ..base.errors import Conflict, Invalid, Problem, Stale
from ..base.languages.catalogs import read_others
from ..base.texts import read_text
from ..catalogs.catalogs import grants_all
from ..catalogs.tables import catalog
from ..enterprises.plugins import enabled_plugins
from ..enterprises.tables import enterprise
from ..events.announce import announce
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction, edit_row, refuse_conflict
from .openness import apply_closing
from .questions import coordination_by_id, session_by_id
from .tables import coordination, sale_session, session_item
from .values import LONGEST_NAME, Coordination, SaleSession

# Guards every edit of a sale: it may change until it is cancelled or completed, and only from its latest version.


def lock_unsettled(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """Locks and returns the coordination if it may still change. Raises `NotFound`, or `Conflict` with the reason."""
    sale = lock_uncancelled(tx, coordination_id, coordinator_id)
    if sale.completed_at:
        raise Conflict("completed", "The sale {name} is over, and its orders are settled.", name=sale.name)
    return sale


def lock_uncancelled(tx: Transaction, coordination_id: str, coordinator_id: str) -> Coordination:
    """Locks and returns the coordination, also of a sale that has closed. Raises `NotFound`, or `Conflict` if it was
    cancelled.

    Edits of one sale wait for each other here, so that none is checked against times that another one is changing.
    """
    conditions = (coordination.c.id == coordination_id, coordination.c.coordinator_id == coordinator_id)
    tx.one(select(coordination.c.id).where(*conditions).with_for_update())
    sale = coordination_by_id(tx, coordination_id, coordinator_id)
    if sale.cancelled_at:
        raise Conflict("cancelled", "The sale {name} was cancelled.", name=sale.name)
    return sale


def edit_coordination(tx: Transaction, sale: Coordination, version: int, **values: object) -> None:
    """Writes `values` and increments the version. Raises `Stale`, also if the sale was settled meanwhile."""
    conditions = (coordination.c.id == sale.id, coordination.c.coordinator_id == sale.coordinator_id)
    edit_row(tx, coordination, *conditions, version=version, values=values)


LONGEST_NOTE = 2000  # characters
LATEST_DISTRIBUTION = timedelta(days=366)  # after the closing
CLOSES_TOO_LATE = "closes_after_distribution"  # the code of a problem
COORDINATES = "WriteOrders"  # the scope that a shop grants to an enterprise that coordinates sales for it


class SessionChanges(TypedDict, total=False):
    """The fields that may change; times are aware."""

    opens_at: datetime
    closes_at: datetime
    begins_at: datetime
    ends_at: datetime
    names: Mapping[str, str]
    note: str
    notes: Mapping[str, str]


def add_session(
    tx: Transaction,
    coordination_id: str,
    coordinator_id: str,
    *,
    shop_id: str,
    catalog_id: str,
    begins_at: datetime,
    ends_at: datetime,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
    names: Mapping[str, str] | None = None,
    note: str = "",
    notes: Mapping[str, str] | None = None,
) -> SaleSession:
    """Lets a shop take part in a sale with one of its catalogs. Its items are put on sale in a second step.

    It opens and closes with the sale by default. `begins_at` and `ends_at` are the times of the distribution; all times
    are aware; `names` and `notes` are the sale's name and the note in further languages than the shop's. A shop other
    than the coordinator must grant it `COORDINATES`.

    Raises `NotFound`, `Invalid`, and `Conflict` once the sale is settled or if the shop takes part already.
    """
    sale = lock_unsettled(tx, coordination_id, coordinator_id)
    problems: list[Problem] = []
    new = SaleSession(
        id=tx.new_id(),
        coordination_id=coordination_id,
        coordinator_id=coordinator_id,
        enterprise_id=shop_id,
        catalog_id=catalog_id,
        name=sale.name,
        opens_at=opens_at or sale.opens_at,
        closes_at=closes_at or sale.closes_at,
        planned_closes_at=None,
        begins_at=begins_at,
        ends_at=ends_at,
        names=_names(names or {}, problems),
        **_notes(note, notes or {}, problems),
        cancelled_at=None,
        completed_at=None,
        version=1,
    )
    problems += [*_shop_problems(tx, new), *session_problems(new, sale)]
    if problems:
        raise Invalid(problems)
    values = {column.name: getattr(new, column.name) for column in sale_session.c}
    with refuse_conflict(tx, duplicate=Conflict("takes_part", "This shop takes part in this sale already.")):
        tx.execute(insert(sale_session).values(values))
    announce(tx, specifications.sale_planned, sale_session, sale_session.c.id == new.id)
    return session_by_id(tx, new.id, coordinator_id)


def change_session(
    tx: Transaction,
    hooks: Hooks,
    session_id: str,
    coordinator_id: str,
    version: int,
    *,
    once: bool = False,
    **changes: Unpack[SessionChanges],
) -> SaleSession:
    """Changes a session's times, note and names, also while it is open. A closing in the past closes it now and keeps
    the plan that clones follow; a closing in the future, and a distribution, are a new plan, unless they hold `once`.
    Slots without orders follow a distribution.

    Raises `NotFound`, `Stale`, `Invalid`, `Conflict` once the sale was cancelled or completed, and `PluginError` if a
    plugin of the shop cannot move its data.
    """
    old = session_by_id(tx, session_id, coordinator_id)
    sale = lock_unsettled(tx, old.coordination_id, coordinator_id)
    problems: list[Problem] = []
    new = replace(old, **changes)
    new = replace(new, names=_names(new.names, problems), **_notes(new.note, new.notes, problems))
    new = apply_closing(old, new, tx.now, once=once)
    problems += session_problems(new, sale)
    if (new.closes_at, new.ends_at) == (old.closes_at, old.ends_at):  # an old mistake does not block a new note
        problems = [problem for problem in problems if problem.code != CLOSES_TOO_LATE]
    if problems:
        raise Invalid(problems)
    is_moved = (new.begins_at, new.ends_at) != (old.begins_at, old.ends_at)
    if is_moved:
        plan = old.plan if once and old.plan != (new.begins_at, new.ends_at) else (None, None)
        new = replace(new, planned_begins_at=plan[0], planned_ends_at=plan[1])
    plans = ("planned_closes_at", "planned_begins_at", "planned_ends_at")
    values = {name: getattr(new, name) for name in (*SessionChanges.__annotations__, *plans)}
    edit_row(tx, sale_session, sale_session.c.id == session_id, version=version, values=values)
    moved = session_by_id(tx, session_id, coordinator_id)
    if is_moved:
        move_along(tx, hooks, old, moved)
    return moved


def move_along(
    tx: Transaction, hooks: Hooks, before: SaleSession, session: SaleSession, *, orders_follow: bool = False
) -> None:
    """Tells the shop's plugins that the distribution has other times, and whether slots with orders move too."""
    shop = session.enterprise_id
    timezone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == shop))
    hooks.each(
        specifications.sale_moved,
        enabled_plugins(tx, shop),
        tx=tx,
        before=before,
        session=session,
        timezone=timezone,
        orders_follow=orders_follow,
    )


def remove_session(tx: Transaction, session_id: str, coordinator_id: str, version: int) -> None:
    """Removes a shop from a sale, as long as nobody has begun to order there; later it can only be closed.

    Raises `NotFound`, `Stale`, `Conflict`.
    """
    old = session_by_id(tx, session_id, coordinator_id)
    lock_unsettled(tx, old.coordination_id, coordinator_id)
    conditions = (sale_session.c.id == session_id, sale_session.c.version == version)
    # Carts, orders and rows of plugins have foreign keys to the session.
    in_use = Conflict("in_use", "Somebody has begun to order here; close the sale at this shop instead.")
    with refuse_conflict(tx, referenced=in_use):
        tx.execute(delete(session_item).where(session_item.c.session_id == session_id))
        if tx.execute(delete(sale_session).where(*conditions)).rowcount != 1:
            raise Stale


def _names(names: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    return read_others(
        names, "/names", problems, lambda text, where: read_text(text, where, problems, most=LONGEST_NAME)
    )


def _notes(note: str, notes: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """What customers should know, in the shop's language and in others, as it is stored."""

    def read(text: str, where: str) -> str:
        return read_text(text, where, problems, most=LONGEST_NOTE, lines=True)

    return {"note": read(note, "/note"), "notes": read_others(notes, "/notes", problems, read)}


def _shop_problems(tx: Transaction, new: SaleSession) -> list[Problem]:
    """Returns the problems with shop and catalog. A shop without the grant looks like an unknown one."""
    agrees = grants_all(enterprise.c.id, new.coordinator_id, COORDINATES)
    shop = select(enterprise.c.id).where(enterprise.c.id == new.enterprise_id, enterprise.c.archived_at.is_(None))
    if tx.first(shop.where(agrees)) is None:
        return [Problem("no_shop", "There is no such shop that lets you coordinate its sales.", "/shop_id")]
    if tx.first(
        select(catalog.c.id).where(catalog.c.id == new.catalog_id, catalog.c.enterprise_id == new.enterprise_id)
    ):
        return []
    return [Problem("no_catalog", "This shop has no such catalog.", "/catalog_id")]


def session_problems(new: SaleSession, sale: Coordination) -> list[Problem]:
    """Returns the problems with the times of a session of this sale."""
    problems = []
    if new.opens_at < sale.opens_at:
        problems.append(Problem("opens_too_early", "A shop cannot open before the whole sale does.", "/opens_at"))
    if new.closes_at > sale.closes_at:
        problems.append(Problem("closes_too_late", "A shop cannot close after the whole sale does.", "/closes_at"))
    if new.closes_at <= new.opens_at:
        problems.append(Problem("closes_before_opening", "The sale must close after it opens.", "/closes_at"))
    if new.ends_at <= new.begins_at:
        problems.append(Problem("ends_before_beginning", "The distribution must end after it begins.", "/ends_at"))
    if new.begins_at < new.opens_at:
        problems.append(
            Problem("begins_too_early", "The distribution cannot begin before the sale opens.", "/begins_at")
        )
    if new.closes_at > new.ends_at > new.begins_at:
        problems.append(Problem(CLOSES_TOO_LATE, "The sale must close before its distribution is over.", "/closes_at"))
    if new.ends_at - new.closes_at > LATEST_DISTRIBUTION:
        problems.append(Problem("ends_too_late", "The distribution ends within a year after the closing.", "/ends_at"))
    return problems
