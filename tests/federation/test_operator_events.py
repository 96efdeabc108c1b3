"""What happens between instances reaches the operators by mail: each kind by the event that causes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from commensal.base.clock import ManualClock
from commensal_federation.delivery.lanes import enqueue_pulls
from commensal_federation.delivery.sync.pulling import pull_lane
from commensal_federation.delivery.sync.refreshing import enqueue_refresh
from commensal_federation.delivery.tables import federation_lane, federation_outbox
from commensal_federation.peering.deciding import go_on_without
from commensal_federation.serving.answer import serve
from commensal_federation.signing import canonical, sign_request
from commensal_federation.signing.profile import write_moment
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

from .moves import farm_of_ann, move
from .posing import document_with_keys_of
from .reading_mail import add_person, mails_at
from .restoring import Backup
from .test_restored_lots import open_own_sale, sells, shopper_orders
from .trading import Hub, Place, Producer, clock_of, minutes

Say = Callable[..., str]


def mailed(region: Region, name: str) -> set[str]:
    """The subjects of the mails to the operator of this instance, once notices are due."""
    for _ in range(4):
        minutes(region)
    place = Place(region, name, "")
    return {mail.subject for mail in mails_at(place) if mail.to == f"operator@{name}.example"}


@pytest.fixture
def operators(region: Region) -> None:
    for name, federation in region.members.items():
        with federation.instance.store.write() as tx:
            add_person(tx, f"operator@{name}.example", "en", operator=True)


pytestmark = pytest.mark.usefixtures("operators")


def test_two_messages_with_one_number(region: Region, forger: Any) -> None:
    assert forger.status(forger.signed("one"))[0] == 202
    assert forger.status(forger.signed("two", prev="zQmOther"))[0] == 409
    assert mailed(region, "b") == {"Instance A contradicts itself"}


def test_a_message_of_before_a_restore(region: Region, forger: Any) -> None:
    old = forger.signed("old", epoch=region.peer("b", "a").epoch_seen - 1, seq=7)
    assert forger.status(old) == (409, "epoch")
    assert mailed(region, "b") == {"Instance A: a message of before its restore"}


@pytest.mark.parametrize(
    ("answer", "subject"),
    [
        (Answer(403, (), b'{"code":"closed","title":"No."}'), "Instance B refuses our messages"),
        (
            Answer(202, (), b'{"messages":[{"status":422,"code":"no","text":"not this"}]}'),
            "Instance B refused a message",
        ),
    ],
)
def test_a_peer_that_refuses(region: Region, say: Say, notes: Any, answer: Answer, subject: str) -> None:
    region.wires.before = lambda origin, request: answer if "b.example" in request.url else None
    say("a", "b", "hello")
    assert subject in mailed(region, "a")


def test_a_peer_whose_clock_differs(region: Region, say: Say, notes: Any) -> None:
    def other_time(origin: str, request: Request) -> Answer | None:
        theirs = write_moment(clock_of(region).now() + timedelta(hours=2))
        body = json.dumps({"code": "time", "server_time": theirs}).encode()
        return Answer(401, (), body) if "b.example" in request.url else None

    region.wires.before = other_time
    say("a", "b", "hello")
    assert "Instance B: a clock is wrong" in mailed(region, "a")


def test_a_peer_whose_address_was_taken_over(region: Region, clock: ManualClock) -> None:
    clock.advance(hours=1)
    taken_over = document_with_keys_of("c", region, at="a")
    region.wires.before = lambda origin, request: taken_over if request.url == region["a"].iri else None
    with region["b"].instance.store.write() as tx:
        enqueue_refresh(tx, region.peer("b", "a"))
    assert "Instance A: its document is not right" in mailed(region, "b")


def test_a_peer_that_claims_a_message_of_ours(region: Region, forger: Any) -> None:
    a, b = region["a"], region["b"]
    url = f"{b.base}/-/federation/outbox?lane=order&after=9999999999.7"
    request = sign_request(Request("GET", url, [("accept", "x")]), forger.key("a"), a.instance.clock.now(), "n" * 22)
    assert serve(b, request, "a").status == 409
    assert mailed(region, "b") == {"Instance A: the counts of messages differ"}


def test_a_peer_that_denies_what_it_has_signed(region: Region, say: Say, notes: Any) -> None:
    say("a", "b", "one", type="CatalogueNote")
    region.work()
    with region["a"].instance.store.write() as tx:
        tx.execute(update(federation_lane).where(federation_lane.c.direction == "out").values(seq=0))
        tx.execute(delete(federation_outbox))
    pull_lane(region["b"], region.peer("b", "a").id, "catalogue")
    assert "Instance A has forgotten what it signed" in mailed(region, "b")


def test_messages_that_cannot_be_had_any_more(region: Region, say: Say, notes: Any) -> None:
    say("a", "b", "one", type="CatalogueNote")
    region.work()
    epoch = region.peer("b", "a").epoch_seen

    def empty_page(origin: str, request: Request) -> Answer | None:
        head = [("x-fed-head", f"{epoch}.9"), ("x-fed-floor", "0.0")]
        return Answer(200, head, b"") if "outbox?lane=catalogue" in request.url and "a.example" in request.url else None

    region.wires.before = empty_page
    with region["b"].instance.store.write() as tx:
        enqueue_pulls(tx, region.peer("b", "a").id, epoch)
    assert "Instance A: messages are lost" in mailed(region, "b")


def test_a_rollback_that_nobody_had_told_of(region: Region, say: Say, notes: Any, tmp_path: Path) -> None:
    """On both sides: the one that was rolled back, and its peer, which has kept what the other has forgotten."""
    say("a", "b", "before")
    region.work()
    backup = Backup(Place(region, "a", ""), tmp_path)
    clock_of(region).advance(hours=1)
    say("a", "b", "forgotten by a")
    region.work()
    clock_of(region).advance(hours=23)
    backup.restore(with_marker=False)
    notes.done.clear()
    say("a", "b", "unaware")
    region.work()
    assert "This instance was rolled back" in mailed(region, "a")
    assert {"Instance A was restored from a backup", "Instance A contradicts itself"} <= mailed(region, "b")


def test_a_peer_that_gives_back_what_we_have_not_signed(
    region: Region, say: Say, notes: Any, forger: Any, tmp_path: Path
) -> None:
    backup = Backup(Place(region, "a", ""), tmp_path)
    say("a", "b", "forgotten by a")
    region.work()
    document = json.loads(forger.signed("forged"))
    document["object"]["text"] = "altered"
    epoch = region.peer("b", "a").epoch_seen
    page = Answer(200, [("x-fed-head", f"{epoch}.9"), ("x-fed-floor", "0.0")], canonical(document) + b"\n")
    backup.restore()
    region.wires.before = lambda origin, request: (
        page if "inbox?lane=order" in request.url and "b.example" in request.url else None
    )
    assert "Instance B claims messages of ours" in mailed(region, "a")


def test_more_is_promised_than_there_is_after_a_restore(region: Region, tmp_path: Path) -> None:
    farm, near = Producer(region, "a"), Hub(region, "b", "near")
    farm.grant(near)
    item = near.sell(farm)
    open_own_sale(farm)
    backup = Backup(farm, tmp_path)
    assert sells(near, item, 40)
    region.cut("a", "b")
    backup.restore()
    minutes(region, 2)
    with farm.write() as tx:
        go_on_without(tx, region.peer("a", "b").id)
    assert shopper_orders(farm, 70)
    region.mend()
    minutes(region, 2)
    assert "More is lent than there is" in mailed(region, "a")


def test_a_grant_that_a_restore_had_forgotten(region: Region, tmp_path: Path) -> None:
    farm, near = Producer(region, "a"), Hub(region, "b", "near")
    backup = Backup(farm, tmp_path)
    farm.grant(near)
    backup.restore()
    minutes(region, 6)
    assert "Instance B: a grant was made again" in mailed(region, "a")


def test_an_enterprise_that_moves_to_a_stranger(region: Region) -> None:
    region.befriend("a", "c")
    farm, hub = farm_of_ann(region), Hub(region, "b")
    farm.grant(hub)
    hub.sell(farm)
    minutes(region, 2)
    move(farm)
    assert "Instance A: an enterprise moves" in mailed(region, "b")
