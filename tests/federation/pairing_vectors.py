"""A pairing in full, for other implementations: the link, what follows from it, the messages, and the digits.

It is `federation/vectors/pairing.json`, which `make generated` writes.
"""

from __future__ import annotations

import json
from typing import Any

from commensal_federation.peering.pairing.pairings import (
    InvitationLink,
    Side,
    authenticated,
    code_of,
    commitment_to,
    half_of,
)

_TOKEN = "bm90IGEgc2VjcmV0OiBhIHZlY3Rvcg"
_INVITER = Side(
    "https://val.example/.well-known/commensal",
    "z6MknCCLeeHBUaHu4aHSVLDCYQW9gjVJ7a63FpMvtuVMy53T",
    "val-nonce-0123456789abcdef",
)
_JOINER = Side(
    "https://vercors.example/.well-known/commensal",
    "z6MkmM42vxfqZQsv4ehtTjFFxQ4sQKS2w6WR7emozFAn5cxu",
    "vercors-nonce-0123456789ab",
)


def pairing() -> dict[str, Any]:
    """Everything that both sides compute and send, in order."""
    link = InvitationLink("https://val.example", _TOKEN, half_of(_INVITER.iri, _INVITER.root))
    commitment = commitment_to(_JOINER.nonce)
    from_joiner = {"invitation": link.invitation, "actor": _JOINER.iri}
    messages = [
        {"type": "PairingOpen", "root": _JOINER.root, "commitment": commitment, **from_joiner},
        {"type": "PairingNonce", "nonce": _INVITER.nonce, "actor": _INVITER.iri},
        {"type": "PairingReveal", "nonce": _JOINER.nonce, **from_joiner},
        {"type": "PairingShown", "actor": _INVITER.iri},
        {"type": "PairingAnswer", "answer": "same", **from_joiner},
        {"type": "PairingHeard", "actor": _INVITER.iri},
    ]
    return {
        "inviter": vars(_INVITER),
        "joiner": vars(_JOINER),
        "link": link.text,
        "invitation": link.invitation,
        "key": link.key,
        "messages": [authenticated(message, link.key) for message in messages],
        "digits": code_of(_INVITER, _JOINER, link.key),
    }


def text() -> str:
    """The pairing as JSON, as it stands in its file."""
    return json.dumps(pairing(), indent=1) + "\n"
