"""Messages arrive once, in order, whatever happens to the wires."""

from __future__ import annotations

from commensal_federation.testing import Region


def test_two_operators_agree_and_are_peers(region: Region) -> None:
    assert region.peer("a", "b").state == region.peer("b", "a").state == "accepted"
