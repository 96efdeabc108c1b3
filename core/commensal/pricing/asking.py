"""Asks a shop's plugins for their adjustments, and writes each one's name on what it asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import PluginError
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..store import Transaction
from .accepting import HOOK
from .phases import Ask
from .values import Adjustment, OrderDraft, Phase


def ask_plugins(hooks: Hooks, tx: Transaction, plugins: Mapping[str, Mapping[str, Any]]) -> Ask:
    """What `price_order` asks, put to these plugins with their settings.

    An answer that is no list of adjustments is a `PluginError`.
    """

    def ask(order: OrderDraft, phase: Phase) -> Sequence[Adjustment]:
        answers = hooks.each(specifications.price_adjustments, plugins, tx=tx, order=order, phase=phase)
        return [replace(one, plugin=answer.plugin) for answer in answers for one in _read(answer.plugin, answer.value)]

    return ask


def _read(plugin: str, answer: object) -> Iterable[Adjustment]:
    if answer is None:
        return ()
    if not isinstance(answer, list | tuple) or not all(isinstance(one, Adjustment) for one in answer):
        raise PluginError(plugin, HOOK, f"{answer!r:.200} is no list of adjustments")
    return answer
