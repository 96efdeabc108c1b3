"""The office: a sale made longer, closed, and followed by the next one; and the rules for guests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from commensal import ShippingOption
from commensal.base.clock import ManualClock
from commensal.catalogs.offers import set_price
from commensal.enterprises.guest_policy import guest_policy_of
from commensal.orders.shipping import offered_shipping
from commensal.orders.tables import guest_order, order_line
from commensal.parts.serving.work import work_of
from commensal.sale_sessions.coordinations import open_coordination
from commensal.sale_sessions.on_sale import take_off_sale
from commensal.sale_sessions.questions import sale_by_id, sessions_of_shop
from commensal.sale_sessions.sessions import add_session
from commensal.sale_sessions.tables import coordination, coordination_supplier, sale_session
from commensal.sale_sessions.values import SaleSession
from commensal.storage.jobs.periodic import run_periodic
from commensal_office.frame.sessions import session_before
from commensal_pickup.tables import pickup_slot

from .conftest import Browser, Stall, list_many
from .test_office import OFFICE, PLUGINS, a_member, an_order, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

SALE = f"{OFFICE}/sale/shop-session"


def session(stall: Stall) -> SaleSession:
    with stall.instance.store.read() as tx:
        return sale_by_id(tx, "shop-session").session


def test_a_sale_is_made_longer_by_the_clock_of_the_hub(owner: Browser, stall: Stall) -> None:
    owner.go(SALE)
    owner.send("then=extend", closes_at="2026-06-05T20:00")
    assert "The new closing is saved." in owner.page.text
    assert session(stall).closes_at == datetime(2026, 6, 5, 18, 0, tzinfo=UTC), "20:00 in Paris"


def test_a_sale_without_orders_gets_other_times_and_is_called_off(owner: Browser, stall: Stall) -> None:
    before = session(stall)
    owner.go(SALE)
    owner.send("then=times", **{"when/begins_at": "2026-06-07T10:00", "when/ends_at": "2026-06-07T09:00"})
    assert (owner.status, "when/ends_at-problem" in owner.page.ids()) == (422, True)
    owner.send("then=times", **{"when/ends_at": "2026-06-07T12:00", "when/closes_at": "2026-06-06T20:00"})
    assert "Slots and rounds without orders moved along" in owner.page.text
    assert "outside the hand-out" not in owner.page.text
    moved = session(stall)
    assert (moved.opens_at, moved.closes_at) == (before.opens_at, datetime(2026, 6, 6, 18, 0, tzinfo=UTC))
    assert (moved.begins_at, moved.ends_at) == (
        datetime(2026, 6, 7, 8, 0, tzinfo=UTC),
        datetime(2026, 6, 7, 10, 0, tzinfo=UTC),
    )
    assert "Sunday, 7 June 2026" in owner.go(f"{SALE}/slots").text
    with stall.instance.store.write() as tx:
        tx.execute(update(pickup_slot).values(begins_at=before.begins_at, ends_at=before.ends_at))
    assert f"{len(stall.slots)} outside the hand-out" in owner.go(SALE).text
    assert not offered(stall)
    owner.go(f"{SALE}/slots")
    assert f"{len(stall.slots)} lie outside the hand-out: customers are not offered them." in owner.page.text
    owner.send("?then=move")
    assert "outside the hand-out" not in owner.go(SALE).text
    assert f"{SALE}?ask=cancel" in owner.go(SALE).links()
    owner.go(f"{SALE}?ask=cancel")
    owner.send("then=cancel")
    assert "The sale is cancelled" in owner.page.text
    assert session(stall).cancelled_at is not None


def offered(stall: Stall) -> dict[str, ShippingOption]:
    with stall.instance.store.read() as tx:
        return offered_shipping(tx, stall.instance.hooks, "shop", "shop-session", "en")


def test_the_hand_out_of_a_sale_with_orders_moves_once_its_page_has_told_whom_it_concerns(
    owner: Browser, stall: Stall
) -> None:
    form, before = owner.go(SALE).form("then=times").fields, session(stall)
    order = an_order(stall)
    owner.post(f"{SALE}?then=times", **{**form, "when/begins_at": "2026-06-06T18:00"})
    assert (owner.status, "move the hand-out, or change the closing" in owner.page.text) == (409, True)
    assert not [form for form in owner.page.forms if form.action.endswith("then=times")]
    owner.post(f"{SALE}?then=cancel")
    assert (owner.status, "Cancel them first" in owner.page.text) == (409, True)
    owner.go(SALE)
    owner.send("then=day", **{"when/begins_at": "2026-06-01T18:00"})
    assert (owner.status, "when/begins_at-problem" in owner.page.ids()) == (422, True)
    week = timedelta(days=7)
    times = {"when/begins_at": wall(before.begins_at + week), "when/ends_at": wall(before.ends_at + week)}
    owner.go(SALE)
    owner.send("then=day", **times, move_reason="The oven is broken.")
    assert "1 customer is told by e-mail" in owner.page.text
    assert session(stall) == before, "nothing has changed yet"
    sure = owner.page.form("then=day").fields
    owner.send("then=day")
    assert "The hand-out is moved, with its slots and orders." in owner.page.text
    assert "moved; planned was Saturday, 6 June 2026" in owner.page.text
    moved = session(stall)
    assert (moved.begins_at - before.begins_at, moved.ends_at - before.ends_at) == (week, week)
    owner.post(f"{SALE}?then=day", **sure)
    assert ("The hand-out is moved" in owner.page.text, session(stall)) == (True, moved), "a second click"
    owner.post(f"{SALE}?then=day", **{**sure, "form_key": "", "when/ends_at": wall(before.ends_at + 2 * week)})
    assert "Somebody has changed this meanwhile." in owner.page.text, "another tab showed the old day"
    assert (order.shipping in offered(stall)) is bool(order.shipping)


def wall(moment: datetime) -> str:
    """The value of a field for this moment."""
    return f"{moment.astimezone(ZoneInfo('Europe/Paris')):%Y-%m-%dT%H:%M}"


def test_an_earlier_closing_and_one_during_the_hand_out_are_asked_about_first(owner: Browser, stall: Stall) -> None:
    before = session(stall)
    zone = ZoneInfo("Europe/Paris")
    during = before.begins_at + timedelta(hours=1)
    for closes_at, words in (
        (before.closes_at - timedelta(hours=2), "earlier than announced"),
        (during, "The hand-out begins before"),
    ):
        owner.go(SALE)
        owner.send("then=extend", closes_at=f"{closes_at.astimezone(zone):%Y-%m-%dT%H:%M}")
        assert words in owner.page.text
        assert session(stall).closes_at == before.closes_at
    owner.send("then=extend")
    assert "The new closing is saved." in owner.page.text
    assert session(stall).closes_at == during.replace(second=0, microsecond=0)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("2020-01-01T12:00", "has passed"),
        ("soon", "Give a day and a time"),
        ("2026-06-20T12:00", "The hand-out would be over"),
    ],
)
def test_a_closing_that_cannot_be_is_said_at_its_field(owner: Browser, stall: Stall, typed: str, words: str) -> None:
    before = session(stall).closes_at
    owner.go(SALE)
    owner.send("then=extend", closes_at=typed)
    assert owner.status == 422
    assert words in owner.page.text
    assert session(stall).closes_at == before


def test_closing_says_first_what_it_does_and_to_how_many(owner: Browser, stall: Stall, clock: ManualClock) -> None:
    an_order(stall)
    unsure = an_order(stall, "Denis Diop")
    with stall.instance.store.write() as tx:
        of_unsure = guest_order.c.order_id == unsure.id
        tx.execute(update(guest_order).where(of_unsure).values(confirm_by=clock.now() + timedelta(hours=1)))
    page = owner.go(SALE)
    assert f"{SALE}?ask=close" in page.links()
    assert "2 · 1 of them not confirmed by its guest" in page.text
    assert "1 order becomes final" in owner.go(f"{SALE}?ask=close").text
    assert "1 order is not confirmed by its guest yet" in owner.page.text
    assert session(stall).closes_at > clock.now()
    owner.send("then=close")
    assert "The sale is closed." in owner.page.text
    assert session(stall).closes_at == clock.now()


def test_a_closed_sale_is_opened_again_once_the_page_has_said_who_was_told(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    an_order(stall)
    owner.go(f"{SALE}?ask=close")
    owner.send("then=close")
    run_periodic(stall.instance, work_of(stall.instance))
    until = f"{(clock.now() + timedelta(hours=3)).astimezone(ZoneInfo('Europe/Paris')):%Y-%m-%dT%H:%M}"
    owner.go(SALE)
    owner.send("then=reopen", closes_at=until)
    assert "No producer was told what to bring yet." in owner.page.text
    assert session(stall).completed_at is not None
    owner.send("then=reopen")
    assert "The sale is open again." in owner.page.text
    assert (session(stall).completed_at, session(stall).closes_at > clock.now()) == (None, True)


def test_the_next_sale_is_planned_like_this_one_a_week_later(owner: Browser, stall: Stall) -> None:
    page = owner.go(SALE)
    assert page.form("then=next").fields["opens_at"]
    owner.send("then=next", opens_at="2026-06-12T09:30")
    owner.send("then=next")  # it would be open for less than three hours: that is asked about
    assert "This sale is planned." in owner.page.text
    with stall.instance.store.read() as tx:
        first, following = sorted(sessions_of_shop(tx, "shop"), key=lambda each: each.opens_at)
        slots = tx.all(select(pickup_slot.c.session_id, pickup_slot.c.begins_at).order_by(pickup_slot.c.begins_at))
        of_first, of_following = (
            [slot["begins_at"] for slot in slots if slot["session_id"] == each.id] for each in (first, following)
        )
    assert following.opens_at.astimezone(ZoneInfo("Europe/Paris")).isoformat() == "2026-06-12T09:30:00+02:00"
    for name in ("closes_at", "begins_at", "ends_at"):
        assert getattr(following, name) - getattr(first, name) == timedelta(days=7), name
    assert of_following == [begins_at + timedelta(days=7) for begins_at in of_first] != []
    assert "It opens" in owner.go(SALE).text


def test_the_next_sale_is_of_the_same_kind_and_keeps_every_time(
    owner: Browser, stall: Stall, clock: ManualClock
) -> None:
    """Another kind of sale opens later; this one opened some seconds after the minute, in summer time."""
    with stall.instance.store.write() as tx:
        sale = sale_by_id(tx, "shop-session").session
        moved = {"opens_at": sale.opens_at + timedelta(seconds=37)}
        tx.execute(update(coordination).where(coordination.c.id == "shop-sale").values(moved))
        tx.execute(update(sale_session).where(sale_session.c.id == "shop-session").values(moved))
        market = open_coordination(
            tx,
            coordinator_id="shop",
            name="Market",
            opens_at=sale.opens_at + timedelta(hours=1),
            closes_at=sale.closes_at,
            suppliers=[],
        )
        begins_at, ends_at = (moment + timedelta(minutes=30) for moment in (sale.begins_at, sale.ends_at))
        add_session(
            tx, market.id, "shop", shop_id="shop", catalog_id=sale.catalog_id, begins_at=begins_at, ends_at=ends_at
        )
    clock.set(sale.ends_at + timedelta(hours=1))
    page = owner.go(f"{OFFICE}?sale=shop-session")
    (plan,) = [link for link in page.links() if link.endswith("#next")]
    page = owner.go(plan.removesuffix("#next"))
    typed = datetime.fromisoformat(page.form("then=next").fields["opens_at"])
    zone = ZoneInfo("Europe/Paris")
    assert typed.replace(tzinfo=zone) > clock.now()
    owner.send("then=next", opens_at=f"2026-11-05T{typed:%H:%M}")
    with stall.instance.store.read() as tx:
        sessions = sessions_of_shop(tx, "shop")
    copied = max(sessions, key=lambda each: each.opens_at)
    before = session_before(sessions, copied)
    assert (before and before.id) == "shop-session", "it is compared with a sale of its kind"
    assert copied.name == sale.name
    for name in ("closes_at", "begins_at", "ends_at"):
        before, after = getattr(sale, name).astimezone(zone), getattr(copied, name).astimezone(zone)
        assert f"{before:%H:%M:%S}" == f"{after:%H:%M:%S}", name
    links = owner.go(f"{OFFICE}?sale=shop-session").links()
    assert f"{OFFICE}/sale/{copied.id}" in links, "the button leads to the next one of its kind"


def test_goods_of_the_catalogue_that_are_not_on_sale_are_named_and_put_on_sale(owner: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        supplier = {"coordination_id": "shop-sale", "enterprise_id": "shop", "closes_at": None}
        tx.execute(insert(coordination_supplier).values(supplier))
        take_off_sale(tx, "shop-session", "shop", [stall.eggs])
    assert "1 product of the catalogue is not on sale" in owner.go(SALE).text
    owner.send("then=all")
    assert "Put all of these on sale?" in owner.page.text
    assert "1 product of the catalogue is not on sale" in owner.go(SALE).text
    owner.send("then=all")
    owner.send("then=all")
    assert "is not on sale" not in owner.page.text


def test_differences_are_found_over_1400_goods_and_named_when_asked_for(owner: Browser, stall: Stall) -> None:
    list_many(stall, 1400)
    page = owner.go(SALE)
    assert "1400 products of the catalogue are not on sale" in page.text
    assert "Thé 1399" not in page.text, "six are named"
    (every,) = [link for link in page.links() if "all=1" in link]
    assert "Thé 1399" in owner.go(every.partition("#")[0]).text


def test_prices_that_changed_since_the_last_sale_are_shown_old_and_new(owner: Browser, stall: Stall) -> None:
    an_order(stall, small=1, large=1)
    of_group = an_order(stall, "Paula", eggs=1)
    with stall.instance.store.write() as tx:
        paid = {"price": 300, "list_price": 215}  # by a group that pays more than everybody
        tx.execute(update(order_line).where(order_line.c.order_id == of_group.id).values(paid))
        tx.execute(insert(coordination_supplier).values(coordination_id="shop-sale", enterprise_id="shop"))
    owner.go(SALE)
    owner.send("then=next", opens_at="2026-06-11T08:00")
    planned = owner.at.partition("?")[0]
    assert "has changed" not in owner.page.text
    with stall.instance.store.write() as tx:
        set_price(tx, "shop", stall.small, 260)
    page = owner.go(planned)
    assert "What is different from the sale of Saturday, 6 June 2026" in page.text, "a day that is still to come"
    assert "1 price has changed" in page.text
    assert "Carottes €2.40 → €2.60" in page.text


def test_a_packer_changes_no_sale(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    browser.go(SALE)
    assert browser.status == 403
    for form in ("extend", "close", "all", "next"):
        browser.post(f"{SALE}?then={form}", closes_at="2026-06-05T20:00", opens_at="2026-07-01T20:00")
        assert browser.status == 403, form


# ------------------------------------------------------------------------------------------------ guests


def test_the_rules_for_guests_are_shown_and_changed(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/rules")
    numbers = {"orders_of_mailbox": "2", "orders_of_network": "10", "confirm_minutes": "60", "unpaid_hours": "0"}
    owner.send("", guests="no", largest_unpaid="120,50", **numbers)
    assert "The rules are saved." in owner.page.text
    assert owner.page.form("").fields["largest_unpaid"] == "120.50"
    with stall.instance.store.read() as tx:
        policy = guest_policy_of(tx, "shop")
    assert (policy.guests, policy.largest_unpaid, policy.orders_of_mailbox) == ("no", 12050, 2)


def test_an_amount_of_the_rules_stands_as_the_reader_writes_it(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/rules")
    owner.send("/language", ("language", "fr"))
    numbers = {"orders_of_mailbox": "2", "orders_of_network": "10", "confirm_minutes": "60", "unpaid_hours": "0"}
    owner.send("", guests="no", largest_unpaid="120,50", **numbers)
    assert owner.page.form("").fields["largest_unpaid"] == "120,50"


def test_rules_that_cannot_be_are_said_at_their_fields(owner: Browser, stall: Stall) -> None:
    owner.go(f"{OFFICE}/rules")
    owner.send("", orders_of_mailbox="many", largest_unpaid="12,505")
    assert owner.status == 422
    assert {"orders_of_mailbox-problem", "largest_unpaid-problem"} <= set(owner.page.ids())
    assert owner.page.form("").fields["orders_of_mailbox"] == "many"
    owner.send("", orders_of_mailbox="0", largest_unpaid="10")
    assert "This must be between 1 and 1000." in owner.page.text
