"""Refusals to a caller that asks too often are delayed, so that rubbish at full speed costs next to nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from commensal.base.clock import ManualClock
from commensal_federation.delivery.inbox import admission
from commensal_federation.delivery.inbox.admission import HeldBack
from commensal_federation.peers.changing import change_peer
from commensal_federation.signing import verify_request
from commensal_federation.transport import Answer

TOO_MANY = Answer(429, [("retry-after", "60")])


def refuse_all(addresses: list[str]) -> tuple[list[str], list[str]]:
    """Of simultaneous requests from these addresses, returns whose are refused at once and whose are delayed."""
    at_once: list[str] = []

    async def call(held_back: HeldBack, address: str, over: asyncio.Event) -> None:
        answer = await held_back.keep(TOO_MANY, address)
        assert answer.header("connection") == "close"
        if not over.is_set():
            at_once.append(address)

    async def run() -> None:
        held_back, over = HeldBack(), asyncio.Event()
        calls = [asyncio.create_task(call(held_back, address, over)) for address in addresses]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        over.set()
        await asyncio.gather(*calls)
        assert not held_back._waiting, "nothing is remembered of who has gone"

    asyncio.run(run())
    return at_once, [address for address in addresses if address not in at_once]


def test_a_refusal_is_kept_back_and_what_is_too_much_of_one_address_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "SECONDS", 0.01)
    monkeypatch.setattr(admission, "MOST", 2)
    assert refuse_all(["a", "a", "b"]) == ([], ["a", "a", "b"])
    assert refuse_all(["a", "a", "a"])[0] == ["a"]
    monkeypatch.setattr(admission, "MOST_OF_ALL", 2)
    assert refuse_all(["a", "b", "c"]) == (["c"], ["a", "b"])


def test_a_peer_that_has_sent_all_that_it_may_is_refused_before_its_signature_is_looked_at(
    forger: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    region, verified = forger.region, list[int]()
    with region["b"].instance.store.write() as tx:
        change_peer(tx, region.peer("b", "a").id, limits={"messages": 2})

    def count_verification(*args: Any) -> Any:
        verified.append(1)
        return verify_request(*args)

    monkeypatch.setattr(admission, "verify_request", count_verification)
    assert [forger.send(forger.signed(str(number))).status for number in range(9)] == [202, 202] + [429] * 7
    assert len(verified) == 3, "the third shows that it is too much; the others are not looked at"
    clock.advance(minutes=1)
    assert forger.send(forger.signed("later")).status == 202
