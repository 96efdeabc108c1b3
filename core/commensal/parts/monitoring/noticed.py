"""What one process has noticed of its instance since it began, which no other process can read in the database."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from ...instance import Instance

MOST_FAILED = 1000  # failed requests whose times are kept


class Noticed:
    """Kept with an instance, as `instance.state.of(Noticed)`: so health and the operator's page know the same.

    `revision` is that of the database when it was looked at first; "" before.
    """

    def __init__(self, instance: Instance) -> None:
        self._clock, self._failed = instance.clock, deque[datetime](maxlen=MOST_FAILED)
        self.revision = ""

    def count_failure(self) -> None:
        """Counts a request that was answered with a status of 5xx."""
        self._failed.append(self._clock.now())

    def failed_since(self, moment: datetime) -> int:
        """The number of requests answered with 5xx since then; at most `MOST_FAILED`."""
        return sum(at >= moment for at in tuple(self._failed))
