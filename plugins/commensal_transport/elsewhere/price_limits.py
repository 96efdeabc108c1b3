"""How many prices a peer may ask for, in a minute and in a day.

Each answer tells a little of where a van drives and when. The place in a question is rounded to a kilometre, so a day's
limit keeps a peer from asking for a whole map of them.
"""

from __future__ import annotations

from sqlalchemy import insert, select, update

from commensal import Transaction
from commensal_federation.messaging import Federation, Peer, Refuse, windows_of

from ..needs import ID
from ..service_settings import ServiceSettings
from ..tables import transport_asked

MOST_IN_A_MINUTE = 120
_asked = transport_asked.c


def refuse_too_many_prices(federation: Federation, tx: Transaction, peer: Peer) -> None:
    """Counts a question. Raises `Refuse` beyond the limits: "too_often" for the minute, which this process counts, and
    "too_many_today" for the day in UTC, which the database counts for all processes."""
    number, _ = windows_of(federation.instance).add(f"{ID} {peer.id}", tx.now)
    if number > MOST_IN_A_MINUTE:
        raise Refuse("too_often", f"Ask for at most {MOST_IN_A_MINUTE} prices in a minute.")
    most = most_in_a_day(federation)
    if _count(tx, peer) > most:
        raise Refuse("too_many_today", f"Ask for at most {most} prices in a day; the next one begins at 00:00 UTC.")


def most_in_a_day(federation: Federation) -> int:
    """The limit that the operator has set."""
    settings = federation.instance.hooks.instance_settings(ID)
    assert isinstance(settings, ServiceSettings)
    return settings.prices_a_day


def _count(tx: Transaction, peer: Peer) -> int:
    """The number of this question among those of the peer today."""
    today = f"{tx.now:%Y-%m-%d}"
    before = tx.first(select(transport_asked).where(_asked.peer_id == peer.id).with_for_update())
    if before is None:
        tx.execute(insert(transport_asked).values(peer_id=peer.id, day=today, number=1))
        return 1
    number = int(before["number"]) + 1 if before["day"] == today else 1
    tx.execute(update(transport_asked).where(_asked.peer_id == peer.id).values(day=today, number=number))
    return number
