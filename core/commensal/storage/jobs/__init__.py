"""Jobs that run after a commit, and periodic work."""

from .clock import clock_in_doubt
from .enqueue import NewJob, enqueue, enqueue_all
from .registry import Job, Periodic, PermanentFailure, Work

__all__ = ["Job", "NewJob", "Periodic", "PermanentFailure", "Work", "clock_in_doubt", "enqueue", "enqueue_all"]
