"""Warnings for ``commensal check``: enterprises that could not move if this instance were lost."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Problem, Transaction, enterprise_by_id

from ..grants.questions import grants_between
from ..runtime import Federation
from .recovering import has_recovery_key


def recovery_warnings(federation: Federation, tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each producer that sells through other instances and has no recovery key."""
    grants = grants_between(tx, direction="given", state="accepted")
    for id in sorted({row.enterprise_id for row in grants}):
        if not has_recovery_key(federation, tx, id):
            enterprise = enterprise_by_id(tx, id)
            text = (
                "{name} sells through other instances and has no recovery key: if this instance were lost, it "
                "could not move. Its owner makes one at “Where I sell”, “Recovery key”, or you by "
                "`commensal federation move key {slug}`, and give it to them on paper."
            )
            yield Problem("no_recovery_key", text, values={"name": enterprise.name, "slug": enterprise.slug})
