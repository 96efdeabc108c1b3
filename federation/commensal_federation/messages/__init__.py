"""Messages between instances: their types, each in a file of its own, and the envelope that all of them travel in."""

from .types import MessageType, Reading, Received, Refuse, Sent, Wait, Writing

__all__ = ["MessageType", "Reading", "Received", "Refuse", "Sent", "Wait", "Writing"]
