"""Situations in which one kind of bug shows: schedules that are aimed at it, for bugs that drawn ones seldom meet.

A situation replaces values of the plan that a seed draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .network import Weather

_TRADE = {"order": 10, "order much": 6, "cancel": 3, "hand over": 4, "receive": 1, "answer": 2, "grant": 2}
_ALL_WORKS = {
    "crashes": 0,
    "cuts": 0,
    "skews": 0,
    "full": 0,
    "restores": 0,
    "upgrades": 0,
    "liar": None,
    "older": None,
    "habits": _TRADE,
    "busy": 4.0,
}
_LOSSY = Weather(lost=0.2, doubled=0.2, late=0.5, delay=1)

SITUATIONS: Mapping[str, Mapping[str, Any]] = {
    "customers wait and all are quick": {**_ALL_WORKS, "brisk": True, "busy": 8.0, "weather": Weather(delay=0.05)},
    "requests and answers get lost": {
        **_ALL_WORKS,
        "weather": Weather(lost=0.3, doubled=0.3, late=0.5, delay=1),
        "lasts": timedelta(minutes=4),
    },
    "instances are cut off for minutes": {
        **_ALL_WORKS,
        "cuts": 4,
        "crashes": 3,
        "weather": Weather(lost=0.2, doubled=0.1, late=0.5, delay=1),
        "lasts": timedelta(minutes=20),
        "closes": timedelta(minutes=12),
    },
    "units are taken back by force": {
        **_ALL_WORKS,
        "habits": {**_TRADE, "force": 8, "weigh": 2, "accept late": 3},
        "weather": _LOSSY,
    },
    "instances are restored": {
        **_ALL_WORKS,
        "restores": 3,
        "alone": True,
        "weather": Weather(delay=0.2),
        "lasts": timedelta(minutes=15),
        "closes": timedelta(minutes=14),
    },
    "leases end while instances are cut off": {
        **_ALL_WORKS,
        "begins": timedelta(hours=23, minutes=45),
        "cuts": 6,
        "weather": Weather(lost=0.3, delay=1),
        "lasts": timedelta(minutes=40),
        "closes": timedelta(minutes=38),
        "busy": 12.0,
    },
    "rights are taken back": {**_ALL_WORKS, "habits": {**_TRADE, "revoke": 4}, "weather": Weather(delay=0.2)},
    "producers deliver less": {
        **_ALL_WORKS,
        "habits": {**_TRADE, "answer": 12, "change": 6},
        "by_hand": True,
        "weather": Weather(lost=0.1, doubled=0.2, late=0.5, delay=1),
    },
    "a hub passes orders on": {
        **_ALL_WORKS,
        "world": "chain",
        "habits": {**_TRADE, "answer": 10},
        "by_hand": True,
        "weather": Weather(lost=0.1, delay=0.5),
    },
    "goods are weighed": {**_ALL_WORKS, "habits": {**_TRADE, "weigh": 14}, "weather": Weather(lost=0.1, delay=0.5)},
}
