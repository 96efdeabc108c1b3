"""Whether the checkout of a shop asks for codes, as its plugins say."""

from __future__ import annotations

from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction


def asks_for_codes(tx: Transaction, hooks: Hooks, enterprise_id: str) -> bool:
    """Whether customers of the shop may have codes: of vouchers, of gift cards, of another plugin."""
    plugins = enabled_plugins(tx, enterprise_id)
    answers = hooks.each(specifications.takes_codes, plugins, tx=tx, enterprise_id=enterprise_id)
    return any(answer.value for answer in answers)
