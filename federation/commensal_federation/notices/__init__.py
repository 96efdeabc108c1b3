"""Notices: mails to the people whom an event or a condition of the federation concerns."""

from .note import CONDITIONS, Owed, forget_notice, note_for_enterprise, note_for_operators
from .peer_kinds import alert_title

__all__ = ["CONDITIONS", "Owed", "alert_title", "forget_notice", "note_for_enterprise", "note_for_operators"]
