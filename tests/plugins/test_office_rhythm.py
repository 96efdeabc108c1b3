"""A sale that repeats itself: a correction asks about all later ones, too, and so does a closing that looks wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.questions import sale_by_id, sessions_of_shop
from commensal.sale_sessions.tables import coordination
from commensal.sale_sessions.values import SaleSession
from commensal.storage.jobs.periodic import run_periodic

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, an_order, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

SALE = f"{OFFICE}/sale/shop-session"
PARIS = ZoneInfo("Europe/Paris")
WEEK = timedelta(days=7)
ASKED = "Also from now on?"
ONCE, ALWAYS = ("series", "once"), ("series", "always")
sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


@pytest.fixture
def weekly(stall: Stall, clock: ManualClock) -> SaleSession:
    """The sale, which repeats itself every week."""
    with stall.instance.store.write() as tx:
        tx.execute(update(coordination).where(coordination.c.id == "shop-sale").values(rhythm="FREQ=WEEKLY"))
        return sale_by_id(tx, "shop-session").session


def wall(moment: datetime) -> str:
    """The value of a field for this moment."""
    return f"{moment.astimezone(PARIS):%Y-%m-%dT%H:%M}"


def sales(stall: Stall) -> Sequence[SaleSession]:
    with stall.instance.store.read() as tx:
        return sorted(sessions_of_shop(tx, "shop"), key=lambda each: each.begins_at)


def after_next_closing(stall: Stall, clock: ManualClock) -> SaleSession:
    """Lets the newest sale close, and returns the one that its rhythm has made."""
    clock.set(sales(stall)[-1].closes_at + timedelta(minutes=1))
    run_periodic(stall.instance, work_of(stall.instance))
    return sales(stall)[-1]


def hour(moment: datetime) -> str:
    return f"{moment.astimezone(PARIS):%a %H:%M}"


@pytest.mark.parametrize("answer", [ONCE, ALWAYS])
def test_a_closing_that_was_found_wrong_after_the_close_is_asked_about_and_the_next_sale_follows(
    owner: Browser, stall: Stall, weekly: SaleSession, clock: ManualClock, answer: tuple[str, str]
) -> None:
    an_order(stall)
    following = after_next_closing(stall, clock)
    right = weekly.closes_at + timedelta(hours=3)
    owner.go(SALE)
    owner.send("then=reopen", closes_at=wall(right))
    assert ASKED in owner.page.text
    owner.send("then=reopen", answer)
    assert "The sale is open again." in owner.page.text
    assert ("The next sales follow it." in owner.page.text) == (answer == ALWAYS)

    reopened, following = sales(stall)
    assert hour(reopened.closes_at) == hour(right)
    meant = hour(right if answer == ALWAYS else weekly.closes_at)
    assert hour(following.closes_at) == meant
    assert hour(after_next_closing(stall, clock).closes_at) == meant


@pytest.mark.parametrize("answer", [ONCE, ALWAYS])
def test_another_closing_of_an_open_sale_is_asked_about(
    owner: Browser, stall: Stall, weekly: SaleSession, clock: ManualClock, answer: tuple[str, str]
) -> None:
    later = weekly.closes_at + timedelta(hours=2)
    owner.go(SALE)
    owner.send("then=extend", closes_at=wall(later))
    assert ASKED in owner.page.text
    assert sales(stall)[0] == weekly, "nothing has changed yet"
    owner.send("then=extend", answer)
    assert ("which the next sale keeps" in owner.page.text) == (answer == ONCE)
    meant = hour(later if answer == ALWAYS else weekly.closes_at)
    assert hour(after_next_closing(stall, clock).closes_at) == meant


@sqlite
@pytest.mark.parametrize("answer", [ONCE, ALWAYS])
def test_all_times_of_a_sale_hold_once_or_from_now_on(
    owner: Browser, stall: Stall, weekly: SaleSession, clock: ManualClock, answer: tuple[str, str]
) -> None:
    """Christmas: one day earlier, and another hour."""
    moved = {
        name: getattr(weekly, name) - timedelta(hours=5) for name in ("opens_at", "closes_at", "begins_at", "ends_at")
    }
    owner.go(SALE)
    owner.send("then=times", **{f"when/{name}": wall(moment) for name, moment in moved.items()})
    assert ASKED in owner.page.text
    owner.send("then=times", answer)
    corrected = sales(stall)[0]
    assert [wall(getattr(corrected, name)) for name in moved] == [wall(moment) for moment in moved.values()]
    following = after_next_closing(stall, clock)
    for name, moment in moved.items():
        meant = moment if answer == ALWAYS else getattr(weekly, name)
        assert wall(getattr(following, name)) == wall(meant + WEEK), name


@sqlite
def test_a_next_sale_that_was_changed_by_hand_is_left_to_a_person(
    owner: Browser, stall: Stall, weekly: SaleSession, clock: ManualClock
) -> None:
    following = after_next_closing(stall, clock)
    owner.go(f"{OFFICE}/sale/{following.id}")
    by_hand = following.closes_at + timedelta(hours=1)
    owner.send("then=extend", closes_at=wall(by_hand))
    owner.send("then=extend", ALWAYS)
    owner.go(SALE)
    owner.send("then=reopen", closes_at=wall(weekly.closes_at + timedelta(hours=3)))
    owner.send("then=reopen", ALWAYS)
    assert "look at it" in owner.page.text
    assert wall(sales(stall)[-1].closes_at) == wall(by_hand)


@sqlite
def test_a_sale_that_does_not_repeat_itself_asks_nothing(owner: Browser, stall: Stall) -> None:
    owner.go(SALE)
    owner.send("then=extend", closes_at=wall(sales(stall)[0].closes_at + timedelta(hours=2)))
    assert "The new closing is saved." in owner.page.text


@sqlite
def test_a_sale_that_would_be_open_for_half_an_hour_is_asked_about_before_it_opens(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    opens_at = clock.now() + timedelta(days=1)
    closes_at = opens_at + timedelta(minutes=30)
    owner.go(f"{OFFICE}/new-sale")
    times = {"opens_at": wall(opens_at), "closes_at": wall(closes_at)}
    owner.send("/new-sale", name="Thursday baskets", **times)
    assert (owner.status, "Is the closing right?" in owner.page.text) == (409, True)
    owner.send("/new-sale")
    assert "This sale is planned" in owner.page.text
    planned = owner.at.partition("?")[0]

    later = {"when/opens_at": wall(opens_at), "when/closes_at": wall(closes_at + timedelta(minutes=10))}
    owner.send("then=times", **later)
    assert "Is the closing right?" in owner.page.text
    owner.send("then=times", ONCE)
    assert "The times are saved." in owner.page.text

    owner.go(SALE)
    owner.send("then=next", opens_at=wall(opens_at + WEEK), next_closes_at=wall(opens_at + WEEK + timedelta(hours=1)))
    assert "Is the closing right?" in owner.page.text
    number = len(sales(stall))
    owner.send("then=next")
    assert ("This sale is planned" in owner.page.text, len(sales(stall))) == (True, number + 1)
    assert planned != owner.at.partition("?")[0]


@sqlite
def test_nothing_of_a_plan_is_kept_that_is_as_planned(owner: Browser, stall: Stall, weekly: SaleSession) -> None:
    for moment in (weekly.closes_at + timedelta(hours=2), weekly.closes_at):
        owner.go(SALE)
        owner.send("then=extend", closes_at=wall(moment))
        owner.send("then=extend", ONCE)
    with stall.instance.store.read() as tx:
        kept = tx.value(select(coordination.c.planned_closes_at).where(coordination.c.id == "shop-sale"))
    assert kept is None
    assert "which the next sale keeps" not in owner.go(SALE).text
