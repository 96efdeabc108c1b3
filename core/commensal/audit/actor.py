"""Who acts, for a recognised actor of a request; `base.acting` stores it."""

from __future__ import annotations

from ..base.acting import Acting, ActorKind, acting
from ..people.actor import Actor

__all__ = ["Acting", "acting", "acting_for"]


def acting_for(actor: Actor, command: str, enterprise_id: str | None = None) -> Acting:
    """Returns the author for a recognised actor: a person, their token, or a peer or platform."""
    without_person: ActorKind = "peer" if actor.client else "nobody"
    kind: ActorKind = without_person if actor.person_id is None else "token" if actor.token_id else "person"
    return Acting(
        kind=kind,
        command=command,
        enterprise_id=enterprise_id,
        person_id=actor.person_id,
        token_id=actor.token_id,
        client=actor.client,
    )
