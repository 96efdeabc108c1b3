"""Peering: two operators agree that their instances trade, change the terms, and end the agreement."""

from ..peers.peers import fingerprint
from .deciding import change_limits, change_scopes, resume, revoke, suspend
from .inviting import accept, invite

__all__ = ["accept", "change_limits", "change_scopes", "fingerprint", "invite", "resume", "revoke", "suspend"]
