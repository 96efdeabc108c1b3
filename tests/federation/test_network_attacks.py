"""Attacks on what an instance fetches: 13, 17, 18 and 19 of the list. Each is also tried without its defence."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import httpx
import pytest

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid
from commensal.instance.settings import OutboundSettings
from commensal.parts.outbound import guard
from commensal.testing.receiver import PlannedAnswer, Receiver
from commensal_federation import transport
from commensal_federation.delivery.inbox import admission
from commensal_federation.delivery.sync import refreshing
from commensal_federation.peering import invite
from commensal_federation.peers import fetching
from commensal_federation.peers.peers import Peer
from commensal_federation.testing import Region, answer_of
from commensal_federation.transport import Answer, HttpTransport, Request, Unreachable

from .conftest import NewRegion

SCOPES = ["catalogue.read"]


@pytest.fixture
def strangers(new_region: NewRegion) -> Region:
    return new_region("a", "b")


# ------------------------------------------------------------------------------------------------ 13: unknown keys


def test_13_without_the_look_at_its_peers_first_a_stranger_would_be_fetched(
    forger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Software that trusts a key on first use does so: whoever names an address makes it call there."""
    region = forger.region
    b = region["b"]

    def fetching_first(tx: Any, iri: str) -> Peer:
        peer: Peer = region.peer("b", "a")
        return replace(peer, iri=iri, document=fetching.fetch_document(b, iri).text)

    region.wires.passed.clear()
    assert forger.send(forger.signed(), by="c").status == 401
    assert region.wires.passed == []
    monkeypatch.setattr(admission, "peer_by_iri", fetching_first)
    forger.send(forger.signed(), by="c")
    assert [request.url for _, request, _ in region.wires.passed] == [region["c"].iri]


def test_13_without_the_pause_a_peers_unknown_keys_would_cause_a_request_each(
    forger: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = forger.region
    monkeypatch.setattr(refreshing, "AT_MOST", refreshing.AT_MOST * -1)
    unknown_key = replace(forger.key(), id=f"{region['a'].iri}#k99")
    forger.key = lambda name="a": unknown_key
    region.wires.passed.clear()
    for _ in range(5):
        forger.send(forger.signed())
        region.work("b")
    assert len(region.wires.passed) == 5


# ------------------------------------------------------------------------------------------------ 17: the document


class FollowsRedirects:
    """A transport that follows redirects, as browsers do."""

    def __init__(self, region: Region) -> None:
        self.wire = region["a"].transport

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        answer = self.wire.send(request, seconds=seconds, size=size)
        while 300 <= answer.status < 400:
            request = replace(request, url=answer.header("location"))
            answer = self.wire.send(request, seconds=seconds, size=size)
        return answer

    def wait(self, seconds: float) -> None:
        self.wire.wait(seconds)


def test_17_a_redirect_on_the_host_does_not_lead_to_another_document(strangers: Region) -> None:
    """An attacker who finds an open redirect at b serves a forged document in b's name."""
    upload = f"{strangers['b'].base}/elsewhere"

    def answer_of_b(origin: str, request: Request) -> Answer | None:
        if request.url == strangers["b"].iri:
            return Answer(302, [("location", upload)])
        if request.url == upload:
            return answer_of(strangers["b"], replace(request, url=strangers["b"].iri), "a")
        return None

    strangers.wires.before = answer_of_b
    with pytest.raises(Conflict, match="answered 302"):
        invite(strangers["a"], strangers["b"].base, SCOPES)
    following = replace(strangers["a"], transport=FollowsRedirects(strangers))
    assert invite(following, strangers["b"].base, SCOPES).state == "invited"


def test_17_an_upload_that_reads_like_a_document_is_none(strangers: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """GHSA-jhrq-qvrm-qr36: users' uploads are served as text or an image, never with the type of a document."""

    def serve_as_upload(origin: str, request: Request) -> Answer | None:
        answer = answer_of(strangers["b"], request, origin) if request.url == strangers["b"].iri else None
        return None if answer is None else replace(answer, headers=[("content-type", "text/plain; charset=utf-8")])

    strangers.wires.before = serve_as_upload
    with pytest.raises(Conflict, match="no instance"):
        invite(strangers["a"], strangers["b"].base, SCOPES)
    monkeypatch.setattr(fetching, "_KINDS", (*fetching._KINDS, "text/plain"))
    assert invite(strangers["a"], strangers["b"].base, SCOPES).state == "invited"


# ------------------------------------------------------------------------------------------------ 18: inner addresses


def test_18_without_the_look_at_addresses_an_operator_could_be_led_inside(
    strangers: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls: list[str] = []
    strangers["a"].transport.wires.places["https://10.0.0.1"] = strangers["b"]  # type: ignore[attr-defined]
    strangers.wires.before = lambda origin, request: urls.append(request.url)
    with pytest.raises(Invalid):
        invite(strangers["a"], "https://10.0.0.1", SCOPES)
    assert urls == []
    monkeypatch.setattr(fetching, "url_problem", lambda *_: None)
    with pytest.raises(Conflict):
        invite(strangers["a"], "https://10.0.0.1", SCOPES)
    assert urls == ["https://10.0.0.1/.well-known/commensal"]


@pytest.fixture
def inside() -> Iterator[Receiver]:
    """A server of this machine that nobody outside may reach."""
    with Receiver() as receiver:
        receiver.always = PlannedAnswer(body=b"the secret inside")
        yield receiver


def test_18_the_transport_dials_no_inner_address_whatever_its_name(
    strangers: Region, inside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard checks the address that it connects to, after the name was resolved, so such a name gains nothing."""
    wire = HttpTransport(strangers["a"].instance)
    for host in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
        with pytest.raises(Unreachable):
            wire.send(Request("GET", f"http://{host}:{inside.port}/"), seconds=5, size=1000)
    assert inside.received == []
    monkeypatch.setattr(guard.AddressGuard, "refuse", lambda *_, **__: None)
    answer = wire.send(Request("GET", f"http://2130706433:{inside.port}/"), seconds=5, size=1000)
    assert answer.body == b"the secret inside"


# ------------------------------------------------------------------------------------------------ 19: huge answers


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(PlannedAnswer(body=b"x" * 100_000), id="huge"),
        pytest.param(
            PlannedAnswer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"x" * 100_000)), id="bomb"
        ),
    ],
)
def test_19_an_answer_ends_at_its_limit_packed_or_not(
    strangers: Region, inside: Receiver, answer: PlannedAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For slow and endless answers and loops of redirects see tests/core/test_outbound.py."""
    instance = strangers["a"].instance
    settings = replace(instance.settings, outbound=OutboundSettings(allow=(f"127.0.0.1:{inside.port}",)))
    wire = HttpTransport(replace(instance, settings=settings))
    inside.always = answer
    with pytest.raises(Unreachable, match="larger than 65536"):
        wire.send(Request("GET", inside.url), seconds=5, size=65_536)
    unguarded_client: Callable[..., Any] = lambda *_, **__: nullcontext(httpx)  # noqa: E731
    monkeypatch.setattr(transport, "http_client", unguarded_client)
    assert len(wire.send(Request("GET", inside.url), seconds=5, size=65_536).body) == 100_000
