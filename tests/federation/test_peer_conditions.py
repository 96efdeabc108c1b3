"""Health and ``commensal check`` name what lasts: a peer that is away, refuses, or holds up sales, and fresh alerts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commensal.base.clock import ManualClock
from commensal.parts.cli import app
from commensal.parts.cli.check import report_plugins
from commensal.parts.monitoring.health import Watcher
from commensal_federation.delivery.alerts import alert, alerts
from commensal_federation.delivery.inbox.admission import Denied
from commensal_federation.peering.deciding import probe, suspend
from commensal_federation.serving.answer import denied_answer
from commensal_federation.testing import Region, answer_of
from commensal_federation.transport import Answer, Request

from .reading_mail import add_people
from .restoring import Backup
from .test_notices import confirm_by_hand
from .trading import Hub, Place, Producer, clock_of, close, folder_at, minutes, only_order

PEERS = ("ab",)
BOTH = True  # databases


@pytest.fixture
def item(region: Region, farm: Producer, hub: Hub) -> str:
    farm.grant(hub)
    item = hub.sell(farm)
    minutes(region, 2)
    return item


def reasons_of(place: Place) -> str:
    """The reasons that health gives about peers."""
    return " ".join(reason for reason in Watcher(place.instance).health().reasons if "Instance" in reason)


def checked(place: Place, capsys: pytest.CaptureFixture[str]) -> str:
    report_plugins(place.instance)
    return " ".join(capsys.readouterr().out.split())


def test_a_peer_that_does_not_answer_is_named_until_it_does(
    region: Region, hub: Hub, item: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reasons_of(hub) == ""
    region.cut("a", "b")
    hub.order(item, 1)
    minutes(region, 80)
    expected = "Instance A has not answered since 2026-06-04"
    assert expected in reasons_of(hub)
    assert expected in checked(hub, capsys)
    assert "commensal federation peer probe https://a.example" in reasons_of(hub)
    region.mend()
    minutes(region, 35)
    assert reasons_of(hub) == ""


def test_a_peer_that_refuses_us_is_named(
    region: Region, farm: Producer, hub: Hub, item: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with farm.write() as tx:
        suspend(tx, region.peer("a", "b").id)
    hub.order(item, 1)
    minutes(region, 2)
    expected = "Instance A (https://a.example) refuses to trade with this instance: none of its goods is sold"
    assert expected in reasons_of(hub)
    assert expected in checked(hub, capsys)


def test_a_request_of_ours_that_somebody_sent_a_copy_of_first_is_no_sign_of_a_peer_that_refuses_us(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    copied: list[Answer] = []

    def copy_first(origin: str, request: Request) -> Answer | None:
        if origin == hub.federation.base and request.method == "POST" and not copied:
            copied.append(answer_of(farm.federation, request, "https://elsewhere.example"))
        return None

    region.wires.before = copy_first
    hub.order(item, 1)
    minutes(region, 2)
    refused = [answer for _, _, answer in region.wires.passed if answer.status == 401]
    assert [b'"nonce"' in answer.body for answer in refused] == [True]
    with hub.read() as tx:
        assert not [alert for alert in alerts(tx) if alert.kind == "refused"]
    assert reasons_of(hub) == ""


def alerts_at(place: Place) -> set[str]:
    with place.read() as tx:
        return {alert.kind for alert in alerts(tx)}


def test_a_peer_that_refuses_once_while_it_replaces_our_document_worries_nobody_and_then_until_we_get_through(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    refused: list[Answer] = []

    def refuse(origin: str, request: Request) -> Answer | None:
        if origin != hub.federation.base or request.method != "POST":
            return None
        refused.append(denied_answer(Denied(403, "peer_changed", "the document was replaced meanwhile")))
        return refused[-1]

    region.wires.before = refuse
    hub.order(item, 1)
    minutes(region)
    assert (len(refused), alerts_at(hub)) == (1, set())
    minutes(region, 30)
    assert "refused" in alerts_at(hub)
    region.wires.before = lambda origin, request: None
    minutes(region, 90)
    assert only_order(farm).lines, "the message came all the same"
    assert alerts_at(hub) == set(), "nobody need look into what has passed"


def test_a_peer_that_is_away_when_its_document_is_fetched_worries_nobody_for_days(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    region.cut("a", "b")
    clock_of(region).advance(days=1, minutes=1)
    minutes(region)
    assert alerts_at(hub) == set()
    clock_of(region).advance(days=2)
    minutes(region)
    assert "document" in alerts_at(hub), "four days before it is no longer believed"
    region.mend()
    clock_of(region).advance(days=1)
    minutes(region)
    assert alerts_at(hub) == set()


def test_a_peer_that_holds_up_sales_after_a_restore_is_named(
    region: Region, farm: Producer, hub: Hub, item: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = Backup(farm, tmp_path)
    hub.order(item, 1)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 2)
    expected = "Instance B has not said what it holds since the restore"
    assert expected in reasons_of(farm)
    assert expected in checked(farm, capsys)


def test_an_alert_is_a_reason_for_a_day_and_a_warning_until_somebody_dismisses_it(
    region: Region, farm: Producer, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = region.peer("a", "b")
    with farm.write() as tx:
        alert(tx, peer.id, "clock", "Our clock and its differ by 300 seconds.")
        alert(tx, peer.id, "item", "https://b.example/i was left out: its unit")
    expected = "Our clock and its differ: one of them is wrong. Our clock and its differ by 300 seconds. Then run"
    assert expected in reasons_of(farm)
    assert "was left out" not in reasons_of(farm), "a hub's people are mailed about that"
    assert expected in checked(farm, capsys)
    assert "was left out" in checked(farm, capsys)
    clock_of(region).advance(days=1, minutes=1)
    assert "300 seconds" not in reasons_of(farm)
    assert expected in checked(farm, capsys)


def test_an_alert_is_dismissed_by_a_command(region: Region, farm: Producer, tmp_path: Path) -> None:
    with farm.write() as tx:
        alert(tx, region.peer("a", "b").id, "clock", "Our clock and its differ by 300 seconds.")
    folder = folder_at(region, "a", tmp_path / "at-a")
    words = ["federation", "peer", "dismiss", "https://b.example", "clock", "--instance", str(folder)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert reasons_of(farm) == ""
    assert CliRunner().invoke(app, words).exit_code != 0, "there is none any more"


def test_orders_without_an_answer_and_missing_operators_are_warnings(
    region: Region, farm: Producer, hub: Hub, item: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "No operator has an account" in checked(farm, capsys)
    add_people(farm)
    confirm_by_hand(farm)
    hub.order(item, 3)
    close(region)
    output = checked(farm, capsys)
    assert "farm has not answered orders of hubs: 1; see `commensal federation order list farm`." in output
    assert "No operator" not in output
    assert "has not answered" not in reasons_of(farm)


def set_clock_apart(place: Place, apart: timedelta) -> None:
    """Gives the instance a clock of its own, that is ahead of the others' by so much."""
    instance = place.instance
    clock = ManualClock(instance.clock.now() + apart)
    object.__setattr__(instance, "clock", clock)
    instance.store._clock = clock


@pytest.mark.parametrize(
    ("apart", "at_hub", "at_farm"),
    [
        (timedelta(minutes=10), "Its clock is 10 minutes behind ours.", "Its clock is 10 minutes ahead of ours."),
        (timedelta(minutes=-10), "Its clock is 10 minutes ahead of ours.", "Its clock is 10 minutes behind ours."),
    ],
)
def test_a_wrong_clock_is_told_in_words_on_both_sides(
    region: Region, farm: Producer, hub: Hub, item: str, apart: timedelta, at_hub: str, at_farm: str
) -> None:
    clock_of(region).advance(minutes=10)  # without a word of each other
    set_clock_apart(hub, apart)
    assert probe(hub.federation, region.peer("b", "a").id) == "clock"
    assert at_hub in reasons_of(hub)
    assert at_farm in reasons_of(farm), "also where the clock is right, since a person there may be called first"


def test_a_request_that_comes_once_more_much_later_says_nothing_of_a_clock(
    region: Region, farm: Producer, hub: Hub, item: str
) -> None:
    """Whoever has written down a request of a peer could make operators call each other."""
    hub.order(item, 1)
    minutes(region)
    request = next(request for origin, request, _ in reversed(region.wires.passed) if origin == "https://b.example")
    clock_of(region).advance(hours=3)
    hub.order(item, 1)
    minutes(region)
    answer = region["b"].transport.send(request, seconds=5, size=10_000)
    assert answer.status == 401
    assert reasons_of(farm) == ""
