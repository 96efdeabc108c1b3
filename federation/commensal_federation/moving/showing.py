"""Prints a new recovery key in the shell, the only time that it is shown."""

from __future__ import annotations

import typer

from commensal import print_line

from .recovering import RecoveryKey


def show_key(key: RecoveryKey) -> None:
    typer.echo(key.secret)
    print_line(
        "This is its recovery key, by which it can move should this instance be lost. Whoever has it can move the "
        "enterprise: give it to its owner on paper. It is shown never again."
    )
