"""``commensal check``: is everything as it must be?"""

from __future__ import annotations

import typer
from sqlalchemy import func, select

from ..checks import broken_invariants
from ..instance import Instance, open_instance
from ..jobs.tables import job
from ..printing import console
from .folder import HERE, Folder
from ..money import Money
from ..payments.problems import open_problems


def add_to(app: typer.Typer) -> None:
    @app.command("check")
    def check(instance: Folder = HERE) -> None:
        """Compares the database with its own journals, and names every difference. Exits 1 where there is one."""
        with open_instance(instance) as opened:
            sound = report(opened)
        raise typer.Exit(0 if sound else 1)


def report(instance: Instance) -> bool:
    """Prints what is not as it must be; True for a sound instance. Parked jobs are told, and are no breach."""
    with instance.store.read() as tx:
        broken = broken_invariants(tx)
        parked = tx.value(select(func.count()).where(job.c.state == "parked"))
    for problem in broken:
        console.print(f"[red]broken[/red] {problem}")
    if parked:
        console.print(f"[yellow]{parked} jobs are parked[/yellow] after their last try; `commensal jobs` lists them.")
    if not broken:
        odd = open_problems(tx)
        console.print("[green]sound[/green] stock, numbers, totals, payments and journals agree.")
    return not broken
    for one in odd:
        console.print(
            f"[yellow]payment[/yellow] {one.code}: {Money(one.amount, one.currency)} by {one.plugin}, "
            f"payment {one.payment_id}, enterprise {one.enterprise_id}"
        )
