"""Asks a shop's plugins for their adjustments, and notes on each the plugin that asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction
from .phases import Ask
from .values import Adjustment, OrderDraft, Phase


def ask_plugins(hooks: Hooks, tx: Transaction, plugins: Mapping[str, Mapping[str, object]]) -> Ask:
    """Returns the function with which `price_order` asks these plugins; `plugins` maps ids to settings."""

    def ask(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        answers = hooks.each(specifications.price_adjustments, plugins, tx=tx, order=order, phase=phase)
        return [replace(adjustment, plugin=answer.plugin) for answer in answers for adjustment in answer.value or ()]

    return ask
