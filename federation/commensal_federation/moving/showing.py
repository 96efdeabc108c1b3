"""Prints a new recovery key in the shell, the only time that it is shown."""

from __future__ import annotations

import typer

from commensal import Transaction, print_line

from ..runtime import Federation
from .recovering import RecoveryKey, has_recovery_key, make_recovery_key


def show_key(key: RecoveryKey) -> None:
    typer.echo(key.secret)
    print_line(
        "This is its recovery key, by which it can move should this instance be lost. Whoever has it can move the "
        "enterprise: give it to its owner on paper. It is shown never again."
    )


def show_first_key(federation: Federation, tx: Transaction, enterprise_id: str) -> None:
    """Makes and prints the recovery key of an enterprise that grants for the first time and has none yet."""
    if not has_recovery_key(federation, tx, enterprise_id):
        show_key(make_recovery_key(federation, tx, enterprise_id))
