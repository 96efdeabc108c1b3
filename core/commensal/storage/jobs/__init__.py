"""Jobs that run after a commit, and periodic work."""

from .enqueue import Promise, promise, promise_all
from .registry import Job, Periodic, PermanentFailure, Work

__all__ = ["Job", "Periodic", "PermanentFailure", "Promise", "Work", "promise", "promise_all"]
