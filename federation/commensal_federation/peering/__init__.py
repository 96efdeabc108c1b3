"""Peering: how two operators agree that their instances trade, change what they have agreed on, and end it."""

from .accepting import accept
from .ending import resume, revoke, suspend
from .fingerprints import fingerprint
from .inviting import invite
from .terms import change_limits, change_scopes

__all__ = ["accept", "change_limits", "change_scopes", "fingerprint", "invite", "resume", "revoke", "suspend"]
