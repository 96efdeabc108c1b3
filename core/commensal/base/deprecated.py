"""Warnings of everything deprecated, in one place so that it is easy to track.

A deprecated hook, argument or name works for at least two more minor versions, with a warning. In the next major
version the warning is an error unless it is filtered; in the minor version after that the name is removed. So
maintainers of plugins have time before anything breaks. Deprecated today:

0.2  `promise`, which is called `enqueue`
0.3  `commensal.trade`, whose names stand in the faces of their rooms, such as `commensal.orders`
"""

from __future__ import annotations


class RemovedIn1Warning(DeprecationWarning):
    """An error in 1.0, and removed in 1.1; the text says what to use instead."""
