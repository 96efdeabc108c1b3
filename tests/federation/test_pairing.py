"""Pairing by a link and six digits: what both sides see, and what attackers get."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid
from commensal_federation.delivery.outbox.dead_letters import dead_letters
from commensal_federation.identity import instance_document
from commensal_federation.peering.pairing import inviting
from commensal_federation.peering.pairing.inviting import MOST_OPEN, make_invitation
from commensal_federation.peering.pairing.joining import agree, end, join
from commensal_federation.peering.pairing.pairings import (
    InvitationLink,
    Pairing,
    Side,
    authenticated,
    code,
    code_of,
    commitment_to,
    half_of,
    pairing_by_id,
    read_link,
    root_of,
)
from commensal_federation.runtime import Federation
from commensal_federation.serving.answer import serve
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

from .conftest import NewRegion
from .test_office_pages import browser_of

TRADE = ("catalogue.read", "order.place", "stock.lease", "sale.propose")


@pytest.fixture
def region(new_region: Callable[..., Region]) -> Region:
    """Three instances that know nothing of each other."""
    return new_region("a", "b", "m")


def invited(federation: Federation, note: str = "") -> tuple[str, str]:
    """The id of a new pairing, and its link."""
    pairing, link = federation.instance.store.transact(lambda tx: make_invitation(federation, tx, note))
    return pairing.id, link


def seen(federation: Federation, pairing_id: str) -> Pairing:
    with federation.instance.store.read() as tx:
        return pairing_by_id(tx, pairing_id)


def digits(federation: Federation, pairing_id: str) -> str:
    with federation.instance.store.read() as tx:
        return code(federation, tx, pairing_by_id(tx, pairing_id))


def sent(region: Region, to: str, message: dict[str, str], link: InvitationLink, actor: str) -> tuple[int, Any]:
    """Sends a message as a holder of the link would, and returns the answer."""
    body = authenticated({**message, "invitation": link.invitation, "actor": actor}, link.key)
    receiver = region[to]
    request = Request(
        "POST",
        f"{receiver.base}/-/federation/pairings",
        [("content-type", "application/json")],
        json.dumps(body).encode(),
    )
    response = serve(receiver, request, "192.0.2.7")
    return response.status, json.loads(response.body)


def opening(federation: Federation, commitment: str) -> dict[str, str]:
    with federation.instance.store.read() as tx:
        return {"type": "PairingOpen", "root": root_of(federation, tx), "commitment": commitment}


def test_both_pages_show_the_same_digits_and_two_clicks_make_peers(region: Region) -> None:
    a, b = region["a"], region["b"]
    ours, link = invited(a, "Les Paniers du Val")
    theirs = join(b, f"  {link}\n").id
    assert digits(a, ours) == digits(b, theirs)
    assert (seen(a, ours).base, seen(b, theirs).base) == (b.base, a.base)
    agree(b, theirs, TRADE)
    assert seen(a, ours).their_answer == "same"
    agree(a, ours, ("catalogue.read",))
    region.work()
    assert region.peer("a", "b").state == region.peer("b", "a").state == "accepted"
    assert region.peer("a", "b").scopes_received == frozenset(TRADE)
    assert region.peer("b", "a").scopes_received == {"catalogue.read"}


def test_both_may_click_before_any_message_passes(region: Region) -> None:
    ours, link = invited(region["a"])
    theirs = join(region["b"], link).id
    agree(region["a"], ours, TRADE)
    agree(region["b"], theirs, TRADE)
    region.work()
    for name, other in (("a", "b"), ("b", "a")):
        assert region.peer(name, other).active
        assert region.peer(name, other).scopes_received == frozenset(TRADE)
        with region[name].instance.store.read() as tx:
            assert not dead_letters(tx, "out"), "neither acceptance is refused"


def test_a_link_works_once_and_the_second_hears_who_used_it(region: Region) -> None:
    _, link = invited(region["a"])
    join(region["m"], link)
    with pytest.raises(Conflict, match=r"used this invitation before you.*https://m\.example"):
        join(region["b"], link)


def test_a_cut_between_the_messages_is_made_good_with_the_same_nonce(region: Region) -> None:
    ours, link = invited(region["a"])
    region.cut("a", "b", one_way=True)  # answers get lost
    with pytest.raises(Conflict, match="cannot be reached"):
        join(region["b"], link)
    region.mend()
    assert digits(region["b"], join(region["b"], link).id) == digits(region["a"], ours)


def test_a_link_expires_after_a_week_and_the_digits_after_a_day(region: Region, clock: ManualClock) -> None:
    _, link = invited(region["a"])
    ours, used = invited(region["a"])
    theirs = join(region["b"], used).id
    clock.advance(days=1)
    with pytest.raises(Conflict, match="has ended"):
        agree(region["a"], ours, TRADE)
    with pytest.raises(Conflict, match="has ended"):
        agree(region["b"], theirs, TRADE)
    clock.advance(days=6)
    with pytest.raises(Conflict, match="not valid any more"):
        join(region["b"], link)


@pytest.mark.parametrize("answer", ["different", "cancelled"])
def test_who_does_not_agree_ends_it_for_both_and_takes_a_request_back(region: Region, answer: Any) -> None:
    ours, link = invited(region["a"])
    theirs = join(region["b"], link).id
    agree(region["a"], ours, TRADE)
    region.work()
    end(region["b"], theirs, answer)
    region.work()
    assert seen(region["a"], ours).reason == f"told_{answer}"
    assert region.peer("a", "b").state == "revoked"
    with pytest.raises(Conflict):
        agree(region["b"], theirs, TRADE)


def test_an_invitation_whose_digits_differed_stays_on_both_pages_with_what_to_do(
    new_region: NewRegion, clock: ManualClock
) -> None:
    region = new_region("a", "b", plugins=("office", "federation"))
    ours, link = invited(region["a"])
    theirs = join(region["b"], link).id
    end(region["b"], theirs, "different")
    pages = {name: browser_of(region[name], is_operator=True) for name in ("a", "b")}
    for name, id in (("a", ours), ("b", theirs)):
        pages[name].go("/office/instance/peers")
        assert "send a new link by another way" in pages[name].page.text, name
        assert f"/office/instance/peers/pairings/{id}" in pages[name].page.links()
    clock.advance(days=8)
    pages["a"].go("/office/instance/peers")
    assert "send a new link" not in pages["a"].page.text


def test_an_invitation_that_nobody_has_used_is_cancelled(region: Region) -> None:
    ours, link = invited(region["a"])
    end(region["a"], ours, "cancelled")
    with pytest.raises(Conflict):
        join(region["b"], link)


def test_trade_that_both_agreed_to_is_not_ended_by_a_late_answer(region: Region) -> None:
    ours, link = invited(region["a"])
    theirs = join(region["b"], link).id
    agree(region["a"], ours, TRADE)
    agree(region["b"], theirs, TRADE)
    region.work()
    sent(region, "a", {"type": "PairingAnswer", "answer": "different"}, read_link(link), region["b"].iri)
    assert region.peer("a", "b").active
    with pytest.raises(Conflict, match="settled"):
        end(region["b"], theirs, "different")


@pytest.mark.parametrize("text", ["", "https://a.example/-/federation/join", "ftp://a.example/-/federation/join#x.y"])
def test_what_is_no_invitation_is_refused_without_a_call(region: Region, text: str) -> None:
    with pytest.raises(Invalid):
        join(region["b"], text)
    assert region.wires.passed == []


def test_only_so_many_invitations_wait_at_once(region: Region) -> None:
    for _ in range(MOST_OPEN):
        invited(region["a"])
    with pytest.raises(Conflict, match="20 invitations wait"):
        invited(region["a"])


# ------------------------------------------------------------------------------------------------ attackers


def test_who_has_not_the_link_learns_nothing(region: Region) -> None:
    """The same answer for an invitation that exists and for one that does not."""
    _, text = invited(region["a"])
    link = read_link(text)
    guess = InvitationLink(link.base, "0" * 43, link.half)
    blind = sent(region, "a", opening(region["m"], "x"), guess, region["m"].iri)
    body = {**opening(region["m"], "x"), "invitation": link.invitation, "actor": region["m"].iri, "mac": "00"}
    request = Request("POST", f"{region['a'].base}/-/federation/pairings", [], json.dumps(body).encode())
    known = serve(region["a"], request, "192.0.2.7")
    assert blind == (known.status, json.loads(known.body)) == (404, blind[1])


def test_guessing_is_limited(region: Region) -> None:
    link = read_link(invited(region["a"])[1])
    statuses = {
        sent(
            region,
            "a",
            opening(region["m"], "x"),
            InvitationLink(link.base, f"{number:043d}", link.half),
            region["m"].iri,
        )[0]
        for number in range(21)
    }
    assert statuses == {404, 429}


def test_junk_of_many_networks_does_not_keep_who_holds_a_link_from_pairing(region: Region) -> None:
    """126 messages of seven networks used to keep everybody out."""
    link = read_link(invited(region["a"])[1])
    for number in range(40 * inviting.MOST_OF_ADDRESS):
        inviting.receive(region["a"], b"{}", f"198.51.100.{number % 40}")
    assert sent(region, "a", opening(region["b"], "x"), link, region["b"].iri)[0] == 200
    statuses = {sent(region, "a", opening(region["b"], "x"), link, region["b"].iri)[0] for _ in range(21)}
    assert 429 in statuses, "who holds a link has a limit, too"


def test_a_link_to_another_key_is_refused(region: Region) -> None:
    """The address was taken over: its document has another root key than the half fingerprint of the link."""
    _, text = invited(region["a"])
    link = read_link(text)
    with region["m"].instance.store.read() as tx:
        forged = InvitationLink(link.base, link.token, half_of(region["a"].iri, root_of(region["m"], tx)))
    with pytest.raises(Conflict, match="does not have the key"):
        join(region["b"], forged.text)


def test_nobody_opens_a_link_in_the_name_of_another(region: Region) -> None:
    link = read_link(invited(region["a"])[1])
    status, problem = sent(region, "a", opening(region["m"], "x"), link, region["b"].iri)
    assert (status, problem["code"]) == (403, "origin")


class InTheMiddle:
    """An attacker who has got the link before the joiner, and gives the joiner one of its own.

    It has a session with each: the joiner B believes to speak to A's friend M, and A to B's. It wins if both read the
    same digits, since then they agree, and trade with M each.
    """

    def __init__(self, region: Region, link: InvitationLink) -> None:
        self.region, self.stolen = region, link
        self.own_id, own = invited(region["m"])
        self.own = read_link(own)

    def meet_joiner(self) -> str:
        """Lets B open the attacker's own link. Returns the digits that B reads."""
        join(self.region["b"], self.own.text)
        return digits(self.region["m"], self.own_id)

    def meet_inviter(self, wanted: str) -> tuple[int, str]:
        """Opens the stolen link, and looks for a nonce with which A reads `wanted`. Returns what A says to it."""
        m, a = self.region["m"], self.region["a"]
        status, answer = sent(self.region, "a", opening(m, commitment_to("committed")), self.stolen, m.iri)
        assert status == 200
        with a.instance.store.read() as tx, m.instance.store.read() as mine:
            inviter, root = Side(a.iri, root_of(a, tx), answer["nonce"]), root_of(m, mine)
        fitting = next(
            nonce
            for nonce in map(str, range(100_000))  # two digits show the freedom that it has; six take a second
            if code_of(inviter, Side(m.iri, root, nonce), self.stolen.key)[:2] == wanted[:2]
        )
        status, problem = sent(self.region, "a", {"type": "PairingReveal", "nonce": fitting}, self.stolen, m.iri)
        return status, problem.get("code", "")


def test_an_attacker_in_the_middle_cannot_choose_the_digits(region: Region) -> None:
    ours, text = invited(region["a"])
    attacker = InTheMiddle(region, read_link(text))
    wanted = attacker.meet_joiner()
    assert attacker.meet_inviter(wanted) == (403, "commitment")
    assert seen(region["a"], ours).reason == "commitment"
    with pytest.raises(Conflict, match="has ended"):
        agree(region["a"], ours, TRADE)


def test_42_without_the_commitment_an_attacker_in_the_middle_chooses_the_digits(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, text = invited(region["a"])
    attacker = InTheMiddle(region, read_link(text))
    wanted = attacker.meet_joiner()
    monkeypatch.setattr(inviting, "commitment_to", lambda nonce: commitment_to("committed"))
    assert attacker.meet_inviter(wanted) == (200, "")
    assert digits(region["a"], ours)[:2] == wanted[:2]


def test_the_joiner_shows_its_nonce_only_after_the_inviter_has_shown_its_own(region: Region) -> None:
    """Else the attacker, as an inviter, would choose its nonce by what the joiner has."""
    _, link = invited(region["a"])
    pairing = join(region["b"], link)
    bodies = [
        (json.loads(request.body), json.loads(answer.body))
        for _, request, answer in region.wires.passed
        if request.url.endswith("/pairings")
    ]
    assert [asked["type"] for asked, _ in bodies] == ["PairingOpen", "PairingReveal"]
    assert pairing.our_nonce not in json.dumps(bodies[0])
    assert bodies[0][0]["commitment"] == sha256(f"commensal-commitment-1\n{pairing.our_nonce}".encode()).hexdigest()


@pytest.mark.parametrize("changed", ["iri", "root", "nonce"])
@pytest.mark.parametrize("side", [0, 1])
def test_the_digits_depend_on_all_that_matters(changed: str, side: int) -> None:
    sides = [
        {"iri": "https://a.example", "root": "z6Mka", "nonce": "1"},
        {"iri": "https://b", "root": "z6Mkb", "nonce": "2"},
    ]
    before = code_of(Side(**sides[0]), Side(**sides[1]), "00")
    sides[side][changed] += "x"
    assert code_of(Side(**sides[0]), Side(**sides[1]), "00") != before
    assert code_of(Side(**sides[0]), Side(**sides[1]), "01") != before


def test_another_document_after_the_digits_is_refused(region: Region, clock: ManualClock) -> None:
    """Between the digits and the click, the address was taken over."""
    ours, link = invited(region["a"])
    join(region["b"], link)
    with region["m"].instance.store.read() as tx:
        document = json.dumps(instance_document(region["m"], tx)).replace("m.example", "b.example")

    def answer(origin: str, request: Request) -> Answer | None:
        if request.url == region["b"].iri:
            return Answer(200, [("content-type", "application/ld+json")], document.encode())
        return None

    region.wires.before = answer
    with pytest.raises(Conflict):
        agree(region["a"], ours, TRADE)
    assert seen(region["a"], ours).state == "shown"


# ------------------------------------------------------------------------------------------------ vectors

VECTORS = Path(__file__).parents[2] / "federation" / "vectors" / "pairing.json"


def test_the_vectors_follow_from_the_page_alone() -> None:
    """Computed as `federation/README.md` says, with nothing of ours."""
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    inviter, joiner, key = vectors["inviter"], vectors["joiner"], vectors["key"]
    token, _, half = vectors["link"].partition("#")[2].partition(".")

    def sha256_of(*lines: str) -> bytes:
        return sha256("\n".join(lines).encode()).digest()

    root_digest = sha256_of("commensal-fingerprint-1", inviter["iri"], inviter["root"])
    assert half == urlsafe_b64encode(root_digest[:16]).decode().rstrip("=")
    assert vectors["invitation"] == sha256_of("commensal-invitation-1", token).hex()
    assert key == sha256_of("commensal-invitation-key-1", token).hex()
    assert vectors["messages"][0]["commitment"] == sha256_of("commensal-commitment-1", joiner["nonce"]).hex()
    for message in vectors["messages"]:
        members = {name: value for name, value in message.items() if name != "mac"}
        assert message["mac"] == hmac.digest(bytes.fromhex(key), rfc8785.dumps(members), "sha256").hex()
    keys = (inviter["iri"], inviter["root"], joiner["iri"], joiner["root"])
    number = int.from_bytes(sha256_of("commensal-pair-1", *keys, inviter["nonce"], joiner["nonce"], key)) % 1_000_000
    assert vectors["digits"].replace(" ", "") == f"{number:06d}"
