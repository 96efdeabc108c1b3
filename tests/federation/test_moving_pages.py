"""A farm moves to another site by pages alone: its owner, those who run the new site, and its owner there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from commensal.sale_sessions.tables import coordination
from commensal_federation.authority.authority import authority_of
from commensal_federation.moving.moves import moves
from commensal_federation.moving.recovering import did_of, read_recovery_key
from commensal_federation.testing import Region

from ..plugins.conftest import Browser
from .conftest import NewRegion
from .moves import states
from .reading_mail import Mail, new_mails
from .test_office_pages import browser_of, opens
from .trading import Hub, Place, Producer, minutes

THERE, MOVES, KEY = "/office/farm/hubs/move", "/office/instance/moves", "/office/farm/hubs/recovery-key"


@pytest.fixture
def region(new_region: NewRegion) -> Region:
    return new_region("a", "c", friends=("ac",), plugins=("office", "federation"))


@pytest.fixture
def farm(region: Region) -> Producer:
    """A farm on a without a sale of its own."""
    farm = Producer(region, "a")
    with farm.write() as tx:
        own_sale = coordination.c.id == f"{farm.id}-sale"
        tx.execute(update(coordination).where(own_sale).values(cancelled_at=tx.now))
    return farm


@pytest.fixture
def new_home(region: Region) -> Place:
    return Hub(region, "c")


def offers(owner: Browser, farm: Producer) -> None:
    assert THERE in owner.go("/office/farm/hubs").links()
    owner.go(THERE)
    owner.send("?then=offer", peer=farm.region.peer("a", "c").id)
    assert "Offer farm to" in owner.page.text
    assert "Nothing has changed yet" in owner.page.text
    assert states(farm.region)["a"] == []
    owner.send("?then=offer")
    farm.region.work()


def test_a_farm_moves_when_its_owner_the_other_site_and_its_owner_there_say_yes(
    farm: Producer, new_home: Place
) -> None:
    region = farm.region
    owner, operator = opens(farm, email="ada@a.example"), _operates(new_home)
    ann, bob = (browser_of(new_home.federation, email=f"{name}@c.example") for name in ("ann", "bob"))
    offers(owner, farm)
    assert "Those who run that site are told" in owner.page.text
    assert new_mails(new_home, region)["op@c.example"].subject.endswith("an enterprise would like to come")

    assert MOVES in operator.go("/office/instance").links()
    assert "farm" in operator.go(MOVES).text
    operator.send("?then=name", email="nobody@c.example")
    assert "Nobody has an account with this address here" in operator.page.text
    operator.send("?then=name", email="ann@c.example")
    assert "waits for its owner’s yes" in operator.page.text
    question = _page_in(new_mails(new_home, region)["ann@c.example"])

    assert bob.go(question).text != ann.go(question).text
    assert bob.status == 404
    bob.post(question, answer="yes")
    assert (bob.status, states(region)["c"]) == (404, ["coming named"])
    assert "Shall farm come to" in ann.page.text
    ann.send(question, ("answer", "yes"))
    assert "is on its way" in ann.page.text
    region.work()
    minutes(region, 3)

    assert "has moved" in owner.go(THERE).text
    assert "has arrived" in operator.go(MOVES).text
    assert new_mails(new_home, region)["ann@c.example"].subject == "farm has arrived"
    office = next(link for link in ann.go(question).links() if link.startswith("/office/"))
    assert "farm" in ann.go(f"{office}/products").text
    assert states(region) == {"a": ["leaving moved"], "c": ["coming done"]}


def test_each_side_can_say_no_and_the_farm_stays_as_it_was(farm: Producer, new_home: Place) -> None:
    region = farm.region
    owner, operator = opens(farm, email="ada@a.example"), _operates(new_home)
    ann = browser_of(new_home.federation, email="ann@c.example")
    offers(owner, farm)
    owner.send("?then=cancel")
    assert "All stays as it is" in owner.page.text
    region.work()
    assert states(region) == {"a": ["leaving cancelled"], "c": ["coming cancelled"]}

    offers_again = owner.go(THERE)
    assert "called off" in offers_again.text
    owner.send("?then=offer", peer=region.peer("a", "c").id)
    owner.send("?then=offer")
    region.work()
    operator.go(MOVES)
    operator.send("?then=name", email="ann@c.example")
    question = _page_in(new_mails(new_home, region)["ann@c.example"])
    ann.go(question)
    ann.send(question, ("answer", "no"))
    assert ann.status == 404
    assert "the person named does not want it" in operator.go(MOVES).text
    new_mails(farm, region)
    operator.send("?then=refuse", ("move", _coming(region)))
    region.work()
    assert "does not take it in" in owner.go(THERE).text
    assert new_mails(farm, region)["ada@a.example"].subject == "farm stays here"


def test_only_an_owner_moves_it(farm: Producer, new_home: Place) -> None:
    packer = opens(farm, "packer")
    assert "Only an owner can offer it" in packer.go(THERE).text
    packer.post(f"{THERE}?then=offer", peer=farm.region.peer("a", "c").id, sure="1")
    assert (packer.status, states(farm.region)["a"]) == (403, [])


def _operates(place: Place) -> Browser:
    return browser_of(place.federation, email=f"op@{place.at}.example", is_operator=True)


def _page_in(mail: Mail) -> str:
    """The path of the page to which the mail leads."""
    found = re.search(r"https://c\.example(/-/federation/moves/\S+)", mail.text)
    assert found, mail.text
    return found[1]


def _coming(region: Region) -> str:
    with region["c"].instance.store.read() as tx:
        return next(move.id for move in moves(tx, role="coming", states=("offered",)))


def test_an_owner_gets_the_recovery_key_once(farm: Producer) -> None:
    owner = opens(farm, email="ada@a.example")
    assert KEY in owner.go("/office/farm/hubs").links()
    form = owner.go(KEY).form("recovery-key")
    owner.send("recovery-key")
    (secret,) = re.findall(r"\bz[1-9A-HJ-NP-Za-km-z]{40,}", owner.page.text)
    with farm.read() as tx:
        kept = authority_of(tx, farm.iri).recovery_key
    assert did_of(read_recovery_key(secret)) == kept
    owner.post(KEY, **form.fields)
    assert (owner.status, "A key was made meanwhile" in owner.page.text) == (409, True)
    assert secret not in owner.go(KEY).text
    assert "A new one replaces it" in owner.page.text
    with farm.read() as tx:
        assert authority_of(tx, farm.iri).recovery_key == kept, "what stands on paper is still right"
