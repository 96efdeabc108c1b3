"""What both sides of a pairing compute: the link, what follows from its token, and the six digits. Pure functions.

The digits authenticate both root keys (like "numeric comparison" of Bluetooth and the short authentication strings of
Matrix). Six digits are few: whoever could choose a nonce after seeing the other's would find fitting ones in a second.
So the joiner commits to its nonce before it sees the inviter's, and an attacker in the middle has one try in a million.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from commensal import Invalid, Problem

from ...signing import canonical

PATH = "/-/federation/join"
_LINK = re.compile(rf"(https?://[^/?#\s]{{1,255}}(?:/[^?#\s]*)?){PATH}#([A-Za-z0-9_-]{{22,64}})\.([A-Za-z0-9_-]{{22}})")


@dataclass(frozen=True)
class InvitationLink:
    """An invitation as it is passed on: the inviter's base address, the secret token, and half of its fingerprint.

    Token and fingerprint stand behind the `#`, which browsers send to no server.
    """

    base: str
    token: str
    half: str

    @property
    def text(self) -> str:
        return f"{self.base}{PATH}#{self.token}.{self.half}"

    @property
    def invitation(self) -> str:
        """The name of the invitation in messages: who has it cannot make the link of it."""
        return sha256(f"commensal-invitation-1\n{self.token}".encode()).hexdigest()

    @property
    def key(self) -> str:
        """The key of the MACs, as hexadecimal digits: whoever has the token has it, and nobody else."""
        return sha256(f"commensal-invitation-key-1\n{self.token}".encode()).hexdigest()


def read_link(text: str) -> InvitationLink:
    """Reads a link as somebody has copied it. Raises `Invalid`."""
    match = _LINK.fullmatch(text.strip())
    if match is None:
        problem = "This is not an invitation: copy the whole address, from https:// to its last character."
        raise Invalid([Problem("invitation", problem, "/link")])
    return InvitationLink(*match.groups())


def half_of(iri: str, root: str) -> str:
    """Half of the fingerprint of an instance and its root key (a Multikey): 128 bits, as 22 characters for a link."""
    digest = sha256(f"commensal-fingerprint-1\n{iri}\n{root}".encode()).digest()
    return urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def commitment_to(nonce: str) -> str:
    """What the joiner sends before its nonce, so that it cannot choose another one later."""
    return sha256(f"commensal-commitment-1\n{nonce}".encode()).hexdigest()


@dataclass(frozen=True)
class Side:
    """One of the two instances: its address (IRI), its root key (a Multikey), and its nonce."""

    iri: str
    root: str
    nonce: str


def code_of(inviter: Side, joiner: Side, key: str) -> str:
    """The six digits that both pages show, in two groups of three."""
    parts = ("commensal-pair-1", inviter.iri, inviter.root, joiner.iri, joiner.root, inviter.nonce, joiner.nonce, key)
    number = int.from_bytes(sha256("\n".join(parts).encode()).digest()) % 1_000_000
    return f"{number // 1000:03d} {number % 1000:03d}"


def authenticated(message: Mapping[str, str], key: str) -> dict[str, str]:
    """The message with its `mac`: HMAC-SHA256 over the canonical JSON of all other members."""
    return {**message, "mac": _mac(message, key)}


def is_authentic(message: Mapping[str, object], key: str) -> bool:
    """Whether the `mac` of a message is that of a holder of the link."""
    others = {name: value for name, value in message.items() if name != "mac"}
    mac = message.get("mac")
    return isinstance(mac, str) and hmac.compare_digest(mac.encode(), _mac(others, key).encode())


def _mac(message: Mapping[str, object], key: str) -> str:
    return hmac.digest(bytes.fromhex(key), canonical(dict(message)), "sha256").hex()
