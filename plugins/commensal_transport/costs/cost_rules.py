"""The rules by which carriers of this instance may share costs: those of transport, and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from commensal import CostRule, Hooks, RoundParticipant, Transaction
from commensal.parts.supply import cost_rules

from .sharing import BUILT_IN, NoShare, Participant, Rules


@dataclass(frozen=True)
class RuleText:
    """What a carrier reads about the rule of a plugin."""

    label: str
    description: str


def known_rules(tx: Transaction, hooks: Hooks) -> Rules:
    """All rules by their names."""
    of_plugins = {name: partial(_shared, rule) for name, rule in cost_rules(tx, hooks, "en").items()}
    return {**BUILT_IN, **of_plugins}


def rule_texts(tx: Transaction, hooks: Hooks, language: str) -> Mapping[str, RuleText]:
    """What to say about the rules of plugins; the pages have the words for the others."""
    rules = cost_rules(tx, hooks, language)
    return {name: RuleText(rule.label, rule.description) for name, rule in rules.items()}


def _shared(rule: CostRule, total: int, participants: Sequence[Participant]) -> Mapping[str, int]:
    riding = [
        RoundParticipant(name=member.name, alone=member.alone, detour=member.detour, is_driver=member.is_driver)
        for member in participants
    ]
    try:
        owed = rule.share(total, riding)
    except ValueError as error:
        raise NoShare(str(error)) from error
    if owed is None:
        raise NoShare(f"{rule.id} has no answer for this round")
    return owed
