"""Jobs that run after a commit, and periodic work."""

from .clock import clock_in_doubt
from .enqueue import Promise, promise, promise_all
from .registry import Job, Periodic, PermanentFailure, Work

__all__ = ["Job", "Periodic", "PermanentFailure", "Promise", "Work", "clock_in_doubt", "promise", "promise_all"]
