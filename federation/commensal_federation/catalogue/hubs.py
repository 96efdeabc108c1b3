"""Hubs by name: which hubs of its own an instance shows to its peers, and which ones it reads of a peer.

A producer's people tick names instead of carrying ids from one instance to the other. Only public hubs are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from commensal import Conflict, Invalid, Problem, Transaction, list_enterprises

from ..delivery.calling import address_of, fetch
from ..dfc.iris import enterprise_iri, local_id
from ..grants.questions import find_grant
from ..messages.catalogue import Grant
from ..peers.peers import Peer, peer_by_id, peers
from ..runtime import Federation
from ..signing import Unreadable, read_json
from ..transport import Unreachable
from .grants import give_grant

MOST = 500  # hubs that an instance shows
MOST_AT_ONCE = 50  # grants of one request
_SIZE = 512 * 1024  # bytes of a peer's list
_LINE = 8 * 1024
_SECONDS = 8.0  # somebody waits
_LONGEST = 200  # characters of a name or a town


@dataclass(frozen=True, kw_only=True)
class PeerHub:
    """A public hub of a peer. `iri` names it in grants; `name` and `city` are what its own instance says."""

    iri: str
    name: str
    city: str


def our_hubs(federation: Federation, tx: Transaction) -> bytes:
    """Our public hubs for a peer, `MOST` at most, sorted by slug: one JSON object a line with `id`, `name`, `city`."""
    hubs = list_enterprises(tx, kind="hub", limit=MOST)
    lines = [{"id": enterprise_iri(federation.base, hub.id), "name": hub.name, "city": hub.city} for hub in hubs]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def fetch_hubs(federation: Federation, peer: Peer) -> Sequence[PeerHub]:
    """The public hubs of a peer, asked of it now. Not inside a writing transaction.

    Raises `Conflict` if it is not a peer at present, does not answer, is too old, or answers something else. Hubs that
    are not of its own host are left out.
    """
    if not peer.active:
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    try:
        answer = fetch(federation, address_of(peer, "hubs"), size=_SIZE, seconds=_SECONDS)
    except Unreachable as error:
        raise error.for_people(peer.base) from None
    if answer.status == 404:
        text = (
            "{name} runs a release that does not say what hubs it has. Ask its operator to upgrade it to 0.2.0 or a "
            "newer one; until then `commensal federation grant give` takes the address of a hub, and `--name` what "
            "people call it."
        )
        raise Conflict("no_hubs", text, name=peer.name)
    if answer.status != 200:
        text = "{name} does not show its hubs: it answered {status}."
        raise Conflict("no_hubs", text, name=peer.name, status=answer.status)
    lines = answer.body.splitlines()[:MOST]
    return [hub for line in lines if (hub := _read_hub(peer, line)) is not None]


def trading_peers(tx: Transaction) -> Sequence[Peer]:
    """The peers to whose hubs enterprises here may grant: those that may read catalogues here."""
    return [peer for peer in peers(tx) if peer.active and "catalogue.read" in peer.scopes_given]


def peer_named(tx: Transaction, text: str, how: str) -> Peer:
    """The peer with this name, address or id; empty: the only one there is.

    Raises `Conflict` that lists the names, and says `how` a command takes one.
    """
    candidates = trading_peers(tx)
    query = text.strip().rstrip("/").casefold()
    matches = [
        peer for peer in candidates if not query or query in (peer.id, peer.base.casefold(), peer.name.casefold())
    ]
    if len(matches) != 1:
        names = ", ".join(f"{peer.name} ({peer.base})" for peer in candidates) or "-"
        message = "Name one of the instances that may read catalogues here, as in `{how}`: {names}."
        raise Conflict("which_peer", message, how=how, names=names)
    return matches[0]


def hubs_named(hubs: Sequence[PeerHub], names: Sequence[str]) -> Sequence[PeerHub]:
    """The hubs with these names or IRIs, each once. Raises `Invalid` with every name that is not exactly one hub's."""
    matches: dict[str, PeerHub] = {}
    problems: list[Problem] = []
    for index, name in enumerate(names):
        named = [hub for hub in hubs if name == hub.iri] or [hub for hub in hubs if _same_name(hub.name, name)]
        where, values = f"/hubs/{index}", {"name": name[:_LONGEST]}
        if not named:
            problems.append(Problem("no_hub", "There is no public hub {name} there.", where, values))
        elif len(named) > 1:
            text = "Several hubs there are called {name}: choose one by its address."
            problems.append(Problem("ambiguous_hub", text, where, values))
        else:
            matches[named[0].iri] = named[0]
    if problems:
        raise Invalid(problems)
    return list(matches.values())


def give_grants(
    federation: Federation, tx: Transaction, enterprise_id: str, peer_id: str, hubs: Collection[PeerHub], **terms: Any
) -> list[Grant]:
    """Offers a grant to each of these hubs; all or none. `terms` and errors are those of `give_grant`."""
    return [give_grant(federation, tx, enterprise_id, peer_id, hub.iri, hub.name, **terms) for hub in hubs]


def grant_state(tx: Transaction, enterprise_id: str, hub: PeerHub) -> str:
    """The state of the enterprise's grant to this hub; empty if it has given none."""
    existing = find_grant(tx, "given", enterprise_id, hub.iri)
    return "" if existing is None else existing.state


def peer_to_ask(tx: Transaction, peer_id: str) -> Peer:
    """A peer to whose hubs may be granted. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if "catalogue.read" not in peer.scopes_given:
        raise Conflict("peer_scope", "{name} may not read catalogues of this instance.", name=peer.name)
    return peer


def _same_name(name: str, other: str) -> bool:
    return " ".join(name.casefold().split()) == " ".join(other.casefold().split())


def _read_hub(peer: Peer, line: bytes) -> PeerHub | None:
    """None for a line that is unreadable, or about an enterprise of another instance."""
    try:
        values = read_json(line, _LINE)
    except Unreadable:
        return None
    texts = [values.get(name) for name in ("id", "name", "city")] if isinstance(values, dict) else []
    if len(texts) != 3 or not all(isinstance(text, str) for text in texts):
        return None
    iri, name, city = (str(text)[:_LONGEST] for text in texts)
    if local_id(peer.base, iri, "enterprises") is None or not name.strip():
        return None
    return PeerHub(iri=iri, name=name, city=city)
