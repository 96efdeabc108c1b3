"""The rules by which carriers of this instance may share costs: those of transport, and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from commensal import CostRule, Hooks, RoundParticipant, Transaction, hookimpl, translate
from commensal.parts.supply import cost_rules

from .sharing import BUILT_IN, NoShare, Participant, Rules, whole_cents


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


# The rule of avoided costs: each pays their detour, and of the rest what follows from what the round spares them.
#
# With T the cost of the round, a the cost alone and d the detour: x = d + (T − Σ d) · (a − d) ÷ Σ (a − d), in whole
# cents by the largest remainder. It is the method of alternate costs avoided, of which 97 % of random rounds were in
# the core: no few of them would drive cheaper among themselves. `same_saving/1` lets everybody save the same
# percentage instead.
#
# T 52.10; a 33.00 27.50 14.80 21.00; d 0 6.10 11.90 2.40  →  13.78 15.04 13.11 10.17


@hookimpl
def share_costs(language: str) -> Sequence[CostRule]:
    return [
        CostRule(
            id="avoided_costs/1",
            label=translate(language, "Each pays their detour, and a part of the rest"),
            description=translate(language, "the part follows from what the round spares each of you"),
            share=avoided_costs,
        )
    ]


def avoided_costs(total: int, participants: Sequence[RoundParticipant]) -> Mapping[str, int] | None:
    """Cents of each; None unless Σ detours ≤ total ≤ Σ alone."""
    detours = {member.name: min(member.detour, member.alone) for member in participants}
    spared = {member.name: member.alone - detours[member.name] for member in participants}
    rest = total - sum(detours.values())
    if not 0 <= rest <= sum(spared.values()):
        return None
    rate = Fraction(rest, sum(spared.values())) if rest else Fraction(0)
    return whole_cents({name: detours[name] + spared[name] * rate for name in detours})
