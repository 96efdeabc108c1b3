"""Work that happens after commit, and work that happens again and again."""

from .promising import Promise, promise, promise_all
from .registry import Job, Periodic, Work

__all__ = ["Job", "Periodic", "Promise", "Work", "promise", "promise_all"]
