"""What the process keeps in memory with an instance: caches, counters and connections of the core and of plugins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from .instance import Instance

Kept = TypeVar("Kept")


class State:
    """One value for each function that makes one. It ends with the instance; nothing of it is stored.

    The functions belong to modules, so two plugins never share a value by accident.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._values: dict[Callable[[Instance], object], object] = {}
        self._lock = threading.RLock()

    def of(self, make: Callable[[Instance], Kept]) -> Kept:
        """What `make(instance)` returned when it was called first. It is called once, whatever threads ask."""
        if make not in self._values:
            with self._lock:
                if make not in self._values:
                    self._values[make] = make(self._instance)
        return cast(Kept, self._values[make])

    def replace(self, make: Callable[[Instance], Kept], value: Kept) -> None:
        """Keeps `value` as what `make` makes: for tests and simulators."""
        with self._lock:
            self._values[make] = value
