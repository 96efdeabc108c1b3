"""The office: operators pair two instances, and look after their neighbours. The instances serve over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from commensal.instance import Instance
from commensal.parts.serving.work import work_of
from commensal.people.people import add_person, new_person
from commensal.people.sessions import begin_session
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import Instances, Plan
from commensal_federation.identity import begin_identity
from commensal_federation.peers.peers import Peer, peer_by_iri
from commensal_federation.runtime import Federation, federation_of

from ..federation.serving import serving
from ..ports import free_ports
from .conftest import PASSWORD, Browser

PEERS = "/office/instance/peers"
DIGITS = re.compile(r"\b\d{3} \d{3}\b")


@dataclass
class Site:
    """An instance that serves on loopback, with the browser of its operator."""

    instance: Instance
    browser: Browser

    @property
    def federation(self) -> Federation:
        return federation_of(self.instance)

    def peer(self, other: Site) -> Peer | None:
        with self.instance.store.read() as tx:
            return peer_by_iri(tx, other.federation.iri)


@contextmanager
def _site(instances: Instances, folder: Path, port: int, ports: list[int]) -> Iterator[Site]:
    base = f"http://127.0.0.1:{port}"
    instance = instances.open(
        folder,
        Plan(plugins=("office", "federation")),
        base_url=base,
        name=folder.name,
        reaching=tuple(f"127.0.0.1:{other}" for other in ports),
    )
    begin_identity(federation_of(instance))
    ada = new_person(email="ada@example.org", name="Ada", password=PASSWORD, language="en")
    with instance.store.write() as tx:
        person = add_person(tx, ada, confirmed=True, is_operator=True)
        assert person is not None
        secret = begin_session(tx, person).secret
    with serving(instance, port, jobs=False), httpx.Client(base_url=base, follow_redirects=True) as client:
        client.cookies.set("session", secret)
        browser = Browser(client)  # type: ignore[arg-type]
        client.headers["Origin"] = base
        yield Site(instance, browser)
    instance.close()


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    instances, ports = Instances(tmp_path), free_ports(2)
    with ExitStack() as stack:
        val, vercors = (
            stack.enter_context(_site(instances, tmp_path / name, port, ports))
            for name, port in zip(("val", "vercors"), ports, strict=True)
        )
        yield val, vercors


def work(*sites: Site) -> None:
    """Does what the workers would do, until nothing is due."""
    works = [(site.instance, work_of(site.instance)) for site in sites]
    while sum(run_due(instance, its_work) for instance, its_work in works):
        pass


def a_link(site: Site) -> str:
    """Makes an invitation, and returns its link as the page shows it."""
    site.browser.go(PEERS)
    page = site.browser.send(PEERS, note="Les Paniers du Vercors")
    link = re.search(r"http://\S+#\S+", page.text)
    assert link is not None
    return link[0]


def the_digits(site: Site) -> str:
    match = DIGITS.search(site.browser.page.text)
    assert match is not None, site.browser.page.text
    return match[0]


def look_at_invitation(site: Site) -> None:
    """Opens the only invitation by the link of the list."""
    page = site.browser.go(PEERS)
    site.browser.go(next(link for link in page.links() if "/pairings/" in link))


def test_two_volunteers_pair_two_sites_with_a_link_and_two_clicks_each(sites: tuple[Site, Site]) -> None:
    val, vercors = sites
    link = a_link(val)
    vercors.browser.go(PEERS)
    assert f"{PEERS}/join" in vercors.browser.page.links()
    vercors.browser.go(f"{PEERS}/join")
    vercors.browser.send(f"{PEERS}/join", link=link)
    look_at_invitation(val)
    assert the_digits(val) == the_digits(vercors)
    assert "vercors" in val.browser.page.text
    assert val.federation.base.partition("://")[2] in vercors.browser.page.text
    vercors.browser.send("?then=agree", level="trade")
    assert "Now the other operator has to say it too" in vercors.browser.page.text
    look_at_invitation(val)
    assert "The other operator has said: the same" in val.browser.page.text
    val.browser.send("?then=agree", level="know")
    work(val, vercors)
    vercors.browser.go(vercors.browser.at)
    assert vercors.browser.at.startswith(f"{PEERS}/")
    assert "connected" in vercors.browser.page.text
    assert "by six digits" in vercors.browser.page.text
    assert "we list goods that its producers offer to our hubs; we propose sales" in vercors.browser.page.text
    at_val, at_vercors = val.peer(vercors), vercors.peer(val)
    assert at_val is not None
    assert at_vercors is not None
    assert at_val.scopes_given == at_vercors.scopes_received == {"catalogue.read", "sale.propose"}
    _is_looked_after(val, vercors)


def _is_looked_after(val: Site, vercors: Site) -> None:
    """Trust is changed, the trade paused and ended: each is said beforehand, and the other side hears it."""
    peer = val.peer(vercors)
    assert peer is not None
    page, browser = f"{PEERS}/{peer.id}", val.browser
    browser.go(page)
    browser.send("?then=level", level="close")
    work(val, vercors)
    at_vercors = vercors.peer(val)
    assert at_vercors is not None
    assert "order.names" in at_vercors.scopes_received
    browser.send("?then=probe")
    assert "It answers" in browser.page.text
    browser.send("?then=suspend")
    assert "Nothing has changed yet" in browser.page.text
    assert getattr(val.peer(vercors), "state", "") == "accepted"
    browser.send("?then=suspend")
    assert "Suspended" in browser.page.text
    browser.send("?then=resume")
    browser.send("?then=revoke")
    browser.send("?then=revoke", reason="We close.")
    work(val, vercors)
    assert getattr(vercors.peer(val), "state", "") == "revoked"
    vercors.browser.go(PEERS)
    assert "It has ended the trade" in vercors.browser.page.text


def test_other_digits_end_the_invitation_on_both_pages_and_an_unused_link_is_taken_back(
    sites: tuple[Site, Site],
) -> None:
    val, vercors = sites
    vercors.browser.go(f"{PEERS}/join")
    vercors.browser.send(f"{PEERS}/join", link="https://val.example")
    assert vercors.browser.status == 422
    assert "This is not an invitation" in vercors.browser.page.text
    vercors.browser.send(f"{PEERS}/join", link=a_link(val))
    look_at_invitation(val)
    there = val.browser.at
    val.browser.post(f"{there}?then=different")
    assert "the link is worth nothing any more" in val.browser.page.text
    vercors.browser.go(vercors.browser.at)
    assert "The other operator saw different digits" in vercors.browser.page.text
    vercors.browser.post(f"{vercors.browser.at}?then=agree", level="trade")
    assert "has ended" in vercors.browser.page.text
    assert val.peer(vercors) is vercors.peer(val) is None
    _takes_a_link_back(val, vercors)


def _takes_a_link_back(val: Site, vercors: Site) -> None:
    """A link that nobody has used is taken back; its page says the same to everybody, and nothing of its secret."""
    link = a_link(val)
    look_at_invitation(val)
    assert "Nobody has used the link yet" in val.browser.page.text
    val.browser.send("?then=cancel")
    vercors.browser.go(f"{PEERS}/join")
    vercors.browser.send(f"{PEERS}/join", link=link)
    assert "not valid any more" in vercors.browser.page.text
    page = httpx.get(link)
    assert page.status_code == 200
    assert "Copy this address" in page.text
    assert link.partition("#")[2] not in page.text
