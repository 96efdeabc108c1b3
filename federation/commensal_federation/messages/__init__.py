"""Messages between instances: their types, each in a file of its own, and the envelope that all of them travel in."""

from .types import Failed, MessageType, Reading, Received, Refuse, Sent, Wait, Writing

__all__ = ["Failed", "MessageType", "Reading", "Received", "Refuse", "Sent", "Wait", "Writing"]
