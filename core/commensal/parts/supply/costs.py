"""Rules of plugins that share the cost of a round (hook `share_costs`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...hooks import specifications
from ...hooks.values import CostRule, RoundParticipant

if TYPE_CHECKING:
    from ...hooks.dispatcher import Hooks
    from ...storage.database import Transaction

_ID = re.compile(r"[a-z][a-z0-9_]{0,29}/[1-9][0-9]{0,2}")


def cost_rules(tx: Transaction, hooks: Hooks, language: str) -> dict[str, CostRule]:
    """The rules by "plugin:id", in the operator's order. Where its plugin fails, which is noted, `share` raises
    `ValueError`."""
    rules: dict[str, CostRule] = {}
    for answer in hooks.each(specifications.share_costs, None, tx=tx, language=language):
        for rule in answer.value or ():
            if not _ID.fullmatch(rule.id):
                hooks.blame(specifications.share_costs, answer.plugin, f"{rule.id!r:.100} is not an id of a rule")
                continue
            share = partial(_checked, tx, hooks, answer.plugin, rule)
            rules[f"{answer.plugin}:{rule.id}"] = replace(rule, share=share)
    return rules


def _checked(
    tx: Transaction, hooks: Hooks, plugin: str, rule: CostRule, total: int, participants: Sequence[RoundParticipant]
) -> Mapping[str, int] | None:
    what = f"cost rule {rule.id}"
    names = {participant.name for participant in participants}
    try:
        with hooks.running(plugin, what, tx.hold):
            owed = rule.share(total, participants)
            if owed is not None:
                _refuse_wrong(owed, total, names)
    except Exception as error:
        raise ValueError(f"{plugin}, {what}: {error}") from error
    return owed


def _refuse_wrong(owed: Mapping[str, int], total: int, names: Set[str]) -> None:
    if owed.keys() != names or not all(type(cents) is int and cents >= 0 for cents in owed.values()):
        raise ValueError("it does not say for each participant how many cents they pay")
    if sum(owed.values()) != total:
        raise ValueError(f"it shares {sum(owed.values())} cents of {total}")
