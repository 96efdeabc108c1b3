"""One order, one payment, one kill at every moment on the way: a repeated request has its effect once."""

from __future__ import annotations

from pathlib import Path

import pytest

from .campaign import finish
from .lifeline import KILLED, Lifeline
from .moments import WHILE_BUYING
from .promises import broken_promises
from .shoppers import Crowd, Shopper, Told
from .till import Book

# The second request is that of the payment.
ON_THE_WAY = [*(f"{name}:1" for name in WHILE_BUYING), "request.before_commit:2", "request.committed:2"]


@pytest.mark.parametrize("moment", ON_THE_WAY)
def test_an_order_is_placed_and_paid_once_wherever_it_was_killed(line: Lifeline, shop: Path, moment: str) -> None:
    told = Told()
    crowd = Crowd([Shopper(line, shop, told, seed=moment, ways=["till:card"], moody=0)])
    crowd.enough.set()
    assert line.serve(30, folder=str(shop), later=0, armed=moment)[0] == KILLED
    assert line.in_time, "the moment never came"
    finish(line, crowd, shop, later=7)
    assert broken_promises(shop, told, at_rest=True) == []
    assert (len(told.orders), len(told.paid), len(Book(shop / "till").every("charged"))) == (1, 1, 1)
