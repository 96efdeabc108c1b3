"""Peering: two operators agree that their instances trade, change the terms, and end the agreement."""

from ..peers.peers import fingerprint
from .ending import resume, revoke, suspend
from .inviting import accept, invite
from .terms import change_limits, change_scopes

__all__ = ["accept", "change_limits", "change_scopes", "fingerprint", "invite", "resume", "revoke", "suspend"]
