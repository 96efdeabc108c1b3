"""Messages between instances: their types, each in a file of its own, and the envelope that all of them travel in.

A pure codec: what messages do is bound to them in `handlers.py` of the rooms that act.
"""

from .types import Failed, Handler, MessageType, Reading, Received, Refuse, Sent, Wait, Writing

__all__ = ["Failed", "Handler", "MessageType", "Reading", "Received", "Refuse", "Sent", "Wait", "Writing"]
