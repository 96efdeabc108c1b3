"""Cursors: a request for messages after a number confirms all up to it; the answer shows gaps and ends.

Tests what federation/README.md says of `GET outbox`, by the answers that a peer gets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from commensal.base.clock import ManualClock
from commensal_federation.delivery.alerts import Alert, alerts
from commensal_federation.delivery.lanes import enqueue_pulls
from commensal_federation.delivery.sync import outbox_feed
from commensal_federation.delivery.sync.pulling import pull_lane
from commensal_federation.delivery.sync.sweeping import KEPT_CATALOGUE, forget_old
from commensal_federation.delivery.tables import federation_lane, federation_outbox
from commensal_federation.serving.answer import serve
from commensal_federation.signing import sign_request
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

Say = Callable[..., str]
_box = federation_outbox.c


def get(region: Region, forger: Any, path_and_query: str) -> Answer:
    """b sends a signed request to a."""
    a, b = region["a"], region["b"]
    unsigned = Request("GET", f"{a.base}/-/federation/{path_and_query}", [("accept", "application/x-ndjson")])
    signed = sign_request(unsigned, forger.key("b"), b.instance.clock.now(), b.instance.ids.secret())
    return serve(a, signed, "b")


def last_sent(region: Region) -> tuple[int, int]:
    """Returns the epoch and number of the last note of a to b."""
    with region["a"].instance.store.read() as tx:
        row = tx.all(select(_box.epoch, _box.seq).where(_box.lane == "catalogue").order_by(_box.seq.desc()))[0]
    return row["epoch"], row["seq"]


def shown_alerts(region: Region, name: str) -> Sequence[Alert]:
    with region[name].instance.store.read() as tx:
        return alerts(tx)


def alert_kinds(region: Region, name: str) -> list[str]:
    return [alert.kind for alert in shown_alerts(region, name)]


def test_what_comes_after_a_cursor_is_given_as_it_was_signed(region: Region, forger: Any, say: Say) -> None:
    for text in ("one", "two", "three"):
        say("a", "b", text, type="CatalogueNote")
    epoch, last = last_sent(region)
    answer = get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last - 2}&limit=1")
    (line,) = answer.body.splitlines()
    assert (answer.status, json.loads(line)["object"]["text"]) == (200, "two")
    assert (answer.header("x-fed-head"), answer.header("x-fed-floor")) == (f"{epoch}.{last}", "0.0")
    assert (answer.header("vary"), answer.header("cache-control")) == ("Signature-Input", "no-store")
    assert get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last}").body == b""
    assert get(region, forger, "outbox?lane=catalogue").body.count(b"\n") == last, "without a cursor: all of it"


def test_a_cursor_beyond_what_was_said_is_refused_and_shown(
    region: Region, forger: Any, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 32: b claims a message that a does not know, but a was not restored, so the claim is false."""
    say("a", "b", "one", type="CatalogueNote")
    epoch, last = last_sent(region)
    answer = get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last + 1}")
    assert (answer.status, json.loads(answer.body)["code"]) == (409, "future_cursor")
    assert f"{epoch}.{last}" in json.loads(answer.body)["title"]
    assert alert_kinds(region, "a") == []
    region.work()
    assert alert_kinds(region, "a") == ["future_cursor"]
    monkeypatch.setattr(outbox_feed, "_head", lambda *_: (epoch, 10**9))
    assert get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last + 1}").status == 200


def test_who_is_denied_a_message_that_it_holds_knows_that_the_other_has_forgotten_it(region: Region, say: Say) -> None:
    say("a", "b", "one", type="CatalogueNote")
    region.work()
    a = region["a"]
    epoch, last = last_sent(region)
    with a.instance.store.write() as tx:  # as after a restore that nobody noticed
        tx.execute(update(federation_lane).where(federation_lane.c.direction == "out").values(seq=0))
        tx.execute(delete(federation_outbox))
    with region["b"].instance.store.write() as tx:
        enqueue_pulls(tx, region.peer("b", "a").id, epoch)
    pull_lane(region["b"], region.peer("b", "a").id, "catalogue")
    (shown_alert,) = shown_alerts(region, "b")
    assert shown_alert.kind == "forgotten"
    assert f"as {epoch}.{last}, and denies it" in shown_alert.text


def test_who_is_denied_a_message_that_it_does_not_keep_accuses_nobody(region: Region, say: Say) -> None:
    say("a", "b", "one", type="CatalogueNote")
    region.work()
    with region["b"].instance.store.write() as tx:
        tx.execute(update(federation_lane).where(federation_lane.c.direction == "in").values(seq=99))
    pull_lane(region["b"], region.peer("b", "a").id, "catalogue")
    assert alert_kinds(region, "b") == ["future_cursor"]


def test_below_the_floor_the_state_is_asked_for_instead_of_history(
    region: Region, forger: Any, say: Say, clock: ManualClock
) -> None:
    say("a", "b", "old", type="CatalogueNote")
    region.work("a")
    epoch, last = last_sent(region)
    clock.advance(seconds=KEPT_CATALOGUE.total_seconds() + 1)
    say("a", "b", "new", type="CatalogueNote")
    with region["a"].instance.store.write() as tx:
        forget_old(tx)
    answer = get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last - 1}")
    assert (answer.status, answer.header("x-fed-floor")) == (410, f"{epoch}.{last}")
    problem = json.loads(answer.body)
    assert (problem["code"], "StateRequest" in problem["title"]) == ("gone", True)
    assert get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last}").status == 200


def test_where_nothing_is_kept_any_more_the_floor_is_the_head(
    region: Region, forger: Any, say: Say, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that was away for longer than all history was once told that there were no messages."""
    region.cut("a", "b")
    say("a", "b", "old", type="CatalogueNote")
    epoch, last = last_sent(region)
    with region["a"].instance.store.write() as tx:
        tx.execute(delete(federation_outbox).where(_box.lane == "catalogue"))
    answer = get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last - 1}")
    assert (answer.status, answer.header("x-fed-floor")) == (410, f"{epoch}.{last}")
    assert get(region, forger, f"outbox?lane=catalogue&after={epoch}.{last}").status == 200


@pytest.mark.parametrize(
    "query", ["", "lane=other", "lane=order&after=1", "lane=order&after=1.-1", "lane=order&limit=x"]
)
def test_a_question_that_cannot_be_read_is_told_what_would_be_right(region: Region, forger: Any, query: str) -> None:
    answer = get(region, forger, f"outbox?{query}")
    assert answer.status == 400
    assert "after=epoch.seq" in json.loads(answer.body)["title"]
