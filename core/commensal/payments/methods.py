"""The ways to pay that a shop offers, as its plugins tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import PaymentMethod
from ..instance import Instance

METHOD = re.compile(r"[a-z][a-z0-9_]{0,39}:[a-z0-9_.-]{1,40}")  # "plugin:method"


def payment_methods(
    instance: Instance, enterprise_id: str, language: str, *, person_id: str | None = None
) -> list[PaymentMethod]:
    """Ways to pay at the shop for this person (None: not logged in), each with the id "plugin:method", in the
    operator's order of plugins.

    Asks plugins, which may take seconds: never call it inside a transaction. A plugin that fails, or offers what is no
    way to pay, is left out, and noted.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
    answers = instance.hooks.each(
        specifications.payment_methods, enabled,
        instance=instance, enterprise_id=enterprise_id, person_id=person_id, language=language,
    )  # fmt: skip
    return [one for answer in answers for one in _offered(instance.hooks, answer.plugin, answer.value or ())]


def _offered(hooks: Hooks, plugin: str, offered: Sequence[PaymentMethod]) -> Iterator[PaymentMethod]:
    for one in offered:
        if METHOD.fullmatch(f"{plugin}:{one.id}"):
            yield replace(one, id=f"{plugin}:{one.id}")
        else:
            hooks.blame(specifications.payment_methods, plugin, f"{one.id!r:.100} is no id of a way to pay")
