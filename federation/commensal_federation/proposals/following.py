"""A hub's own sale follows the changes of the proposal that it came from, as far as nobody's decision is overridden."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import update

from commensal import Conflict, Refused, SaleSession, Transaction, plugin_settings
from commensal.orders import cancel_coordination, orders_of_session
from commensal.sale_sessions import Coordination, change_coordination, change_session, coordination_by_id, sessions_of

from ..delivery.alerts import alert
from ..messages.bodies.proposals import ProposedSale, SaleProposal
from ..peers.values import Peer
from ..runtime import Federation
from ..settings import EnterpriseFederation
from .tables import federation_sale


def accepts_automatically(federation: Federation, tx: Transaction, hub: str) -> bool:
    """Whether proposed sales are opened at this hub, and changed ones followed, without a person."""
    hooks = federation.instance.hooks
    return plugin_settings(tx, hooks, hub, "federation", EnterpriseFederation).accept_sales


def follow_change(
    federation: Federation, tx: Transaction, peer: Peer, accepted: ProposedSale, proposal: SaleProposal
) -> bool:
    """Changes or cancels the sale that the hub opened for `accepted`, as `proposal` says, where the hub accepts sales
    automatically. Otherwise, and where the hub's people must decide, it adds an alert and returns False."""
    hub = accepted.enterprise_id
    event = "was withdrawn" if proposal.withdrawn else "has changed"
    text = f"The sale {proposal.name[:100]}, which {hub} holds, {event} at home."
    if not accepts_automatically(federation, tx, hub):
        alert(tx, peer.id, "sale", text)
        return False
    try:
        with tx.attempt():
            _follow(federation, tx, accepted, proposal)
    except Refused as refused:
        alert(tx, peer.id, "sale", f"{text} It does not follow by itself: {refused}")
        return False
    return True


def _follow(federation: Federation, tx: Transaction, accepted: ProposedSale, proposal: SaleProposal) -> None:
    """Raises `Conflict` if the hub has changed its sale itself, or if customers have ordered for another distribution.

    An earlier or a later closing leaves their orders as they are.
    """
    hub, coordination_id = accepted.enterprise_id, accepted.coordination_id or ""
    sale = coordination_by_id(tx, coordination_id, hub)
    sessions = sessions_of(tx, coordination_id, hub)
    if not _is_as_proposed(sale, sessions, accepted):
        raise Conflict("changed_here", "The hub has changed its sale itself.")
    if proposal.withdrawn:
        cancel_coordination(tx, sale.id, hub, sale.version)
        tx.execute(update(federation_sale).where(federation_sale.c.id == accepted.id).values(state="withdrawn"))
        return
    session, distribution = sessions[0], (proposal.begins_at, proposal.ends_at)
    is_moved = (session.begins_at, session.ends_at) != distribution
    if is_moved and orders_of_session(tx, session.enterprise_id, session.id, limit=1):
        raise Conflict("has_orders", "Customers have ordered for the distribution that was announced.")
    name = proposal.name[:200] if sale.name == accepted.name else sale.name
    change_coordination(
        tx, sale.id, hub, sale.version, name=name, opens_at=proposal.opens_at, closes_at=proposal.closes_at
    )
    (session,) = sessions_of(tx, sale.id, hub)
    change_session(
        tx,
        federation.instance.hooks,
        session.id,
        hub,
        session.version,
        begins_at=distribution[0],
        ends_at=distribution[1],
    )


def _is_as_proposed(sale: Coordination, sessions: Sequence[SaleSession], proposal: ProposedSale) -> bool:
    """Whether the hub's sale has the proposed times, at one shop."""
    actual = [(sale.opens_at, sale.closes_at, session.begins_at, session.ends_at) for session in sessions]
    return actual == [(proposal.opens_at, proposal.closes_at, proposal.begins_at, proposal.ends_at)]
