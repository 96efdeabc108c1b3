"""Work that happens after commit, and work that happens again and again."""

from .promise import promise
from .registry import Job, Periodic, Work

__all__ = ["Job", "Periodic", "Work", "promise"]
