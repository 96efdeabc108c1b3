"""Endpoints for operators' keys. The root key never passes through the API; only the shell asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from commensal import Body, Call, Routes

from ..runtime import Federation, federation_of
from .keys import Key, fingerprint_of, our_keys, root_key
from .rotation import revoke, rotate

routes = Routes("federation", where_off=True)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """iri:         this instance's name in messages
    fingerprint: what operators read to each other before they agree to trade
    root_here:   whether the root key still lies on this machine
    """

    iri: str
    fingerprint: str
    root_here: bool
    keys: Sequence[Key]


class Rotation(Body, frozen=True, kw_only=True):
    """`at_once`: the next key signs from now on, even if some do not know it yet."""

    at_once: bool = False


class Revocation(Body, frozen=True, kw_only=True):
    reason: Literal["stolen", "lost", "replaced"]


@routes.get("/keys", scope="operator")
def show_identity(call: Call) -> Identity:
    """Who this instance is to others, and its keys: public halves only."""
    return our_identity(federation_of(call.instance), call)


@routes.post("/keys/rotate", scope="operator")
def rotate_keys(call: Call, body: Rotation) -> Key:
    """Has the key that stands by used from the day on which all know it, and makes the one after it known."""
    return rotate(federation_of(call.instance), call.tx, at_once=body.at_once)


@routes.post("/keys/{key}/revoke", scope="operator")
def revoke_key(call: Call, key: str, body: Revocation) -> Key:
    """Ends a key now: what it signed and that others have not read yet is lost."""
    return revoke(federation_of(call.instance), call.tx, key, body.reason)


def our_identity(federation: Federation, call: Call) -> Identity:
    keys = our_keys(call.tx)
    return Identity(
        iri=federation.iri,
        fingerprint=fingerprint_of(federation.iri, keys[0].multikey) if keys else "",
        root_here=root_key(federation, call.tx) is not None,
        keys=keys,
    )
