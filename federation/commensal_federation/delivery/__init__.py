"""How messages travel: out by a queue that is written in the transaction of the change, in by a checked inbox."""

from .inbox.receiving import receive
from .outbox.outbox import post
from .request_reply import ask
from .values import Receipt

__all__ = ["Receipt", "ask", "post", "receive"]
