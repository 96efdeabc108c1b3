"""Peering: two operators agree that their instances trade, change the terms, and end the agreement."""

from ..peers.fingerprints import fingerprint
from .accepting import accept
from .ending import resume, revoke, suspend
from .inviting import invite
from .terms import change_limits, change_scopes

__all__ = ["accept", "change_limits", "change_scopes", "fingerprint", "invite", "resume", "revoke", "suspend"]
