"""How messages travel: out by a queue that is written in the transaction of the change, in by a checked inbox."""

from .calling import ask
from .inbox.receiving import receive
from .outbox.outbox import post
from .values import Receipt

__all__ = ["Receipt", "ask", "post", "receive"]
