"""Asks a shop's plugins for their adjustments, and writes each one's name on what it asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from .phases import Ask
from .values import Adjustment, OrderDraft, Phase


def ask_plugins(hooks: Hooks, tx: Transaction, plugins: Mapping[str, Mapping[str, Any]]) -> Ask:
    """What `price_order` asks, put to these plugins with their settings."""

    def ask(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        answers = hooks.each(specifications.price_adjustments, plugins, tx=tx, order=order, phase=phase)
        return [replace(one, plugin=answer.plugin) for answer in answers for one in answer.value or ()]

    return ask
