"""The new home hears that a peer has followed: what the enterprise has with it is taken up."""

from __future__ import annotations

from commensal import Transaction

from ..messages.bodies.moving import MoveFollowed
from ..messages.types import Refuse
from ..peers.values import Peer
from ..runtime import Federation
from .moves import find_move
from .new_home import rows_of
from .placing import place


def followed(federation: Federation, tx: Transaction, peer: Peer, said: MoveFollowed) -> None:
    """Raises `Refuse` where that enterprise has not come here."""
    move = find_move(tx, "coming", ("done",), iri=said.enterprise)
    if move is None or move.new_iri != said.moved_to:
        raise Refuse("no_move", "That enterprise has not come here.")
    place(federation, tx, move, peer, rows_of(tx, move))
