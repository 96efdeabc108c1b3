"""The files of a database under write, copied at any moment, hold all that was confirmed until then."""

from __future__ import annotations

import random
import shutil
import threading
from pathlib import Path

from commensal.instance.instance import DATABASE

from .lifeline import Lifeline
from .promises import broken_promises, damage
from .shoppers import Crowd, Shopper, Told

COPIES = 15


def test_files_as_they_lie_at_any_moment_hold_what_was_confirmed(line: Lifeline, shop: Path) -> None:
    """The process is stopped during the copy, as a power cut would stop it: nothing may finish first."""
    told, chance, copies = Told(), random.Random("copies"), list[tuple[Path, Told]]()
    crowd = Crowd([Shopper(line, shop, told, f"copies-{n}") for n in range(4)])

    def copy() -> None:
        for number in range(COPIES):
            threading.Event().wait(chance.uniform(0, 0.2))
            place = shop.parent / f"copy-{number}"
            place.mkdir()
            with line.stopped():
                told_until_now = Told(orders=dict(told.orders))
                for file in (DATABASE, f"{DATABASE}-wal"):
                    shutil.copyfile(shop / file, place / file)
            copies.append((place, told_until_now))
        crowd.finish()
        line.kill()

    line.serve(120, meanwhile=copy, folder=str(shop), later=0)
    assert [broken_promises(place, told_then) for place, told_then in copies] == [[]] * COPIES
    assert [damage(place / DATABASE) for place, _ in copies] == [""] * COPIES
    assert len({len(told_then.orders) for _, told_then in copies}) > 3, "nothing was written in between"
