"""What is deprecated and when it goes: everything in one place, so that it is easy to track.

A hook, an argument or a name that goes is kept for two minor versions at least, and warns of itself. With the first
version of the next major one the warning is an error unless it is filtered; with the one after that it is gone. So who
maintains a plugin reads of it long before anything breaks. Nothing is deprecated today.
"""

from __future__ import annotations


class RemovedIn1Warning(DeprecationWarning):
    """It will be an error in 1.0 and is gone in 1.1; the text says what to use instead."""
