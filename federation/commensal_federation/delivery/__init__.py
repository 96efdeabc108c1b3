"""How messages travel: out by a queue that is written in the transaction of the change, in by a checked inbox."""

from .asking import ask
from .outbox import post
from .receiving import receive
from .values import Receipt

__all__ = ["Receipt", "ask", "post", "receive"]
