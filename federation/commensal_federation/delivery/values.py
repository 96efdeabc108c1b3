"""What the two ends of a line tell."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN_PEER = "unknown_peer"  # the code of the answer to an instance that is not a peer here


@dataclass(frozen=True)
class Receipt:
    """What became of one message at its receiver, by the HTTP status that says the same.

    202: stored, and done, parked or dead by our own judgement; 200: known already, nothing was done again;
    anything else: not stored, and `code` says why.
    """

    status: int
    id: str = ""
    code: str = ""
    text: str = ""

    @property
    def taken(self) -> bool:
        return self.status in (200, 202)
