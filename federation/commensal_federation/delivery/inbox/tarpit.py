"""Refusals of whoever asks too often are kept back for a moment: at full speed, rubbish then costs next to nothing.

What an answer costs cannot be made as small as what a request costs its sender. So the sender is made to wait: a
connection that waits costs some kilobytes and no processor.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

from ...transport import Answer

SECONDS = 5.0  # shorter than any sender's patience
MOST = 256  # of one address at once; what is more is answered and its connection closed
MOST_OF_ALL = 4096
_CLOSE = ("connection", "close")


class HeldBack:
    """Counts the refusals that are kept back in this process. Only the thread of the loop touches it."""

    def __init__(self) -> None:
        self._waiting = Counter[str]()

    async def keep(self, answer: Answer, address: str) -> Answer:
        """Returns the answer after a delay, and closes the connection."""
        closing = replace(answer, headers=[*answer.headers, _CLOSE])
        if self._waiting[address] >= MOST or self._waiting.total() >= MOST_OF_ALL:
            return closing
        self._waiting[address] += 1
        try:
            await asyncio.sleep(SECONDS)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]
        return closing
