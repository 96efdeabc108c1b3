"""``commensal jobs``: promised work that keeps failing, and another try for it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid
from sqlalchemy import select

from ..errors import NotFound
from ..instance import open_instance
from ..jobs.run import retry_parked
from ..jobs.tables import job
from ..languages.formats import format_moment
from ..printing import console
from .folder import HERE, Folder

_SHOWN = 200


def add_to(app: typer.Typer) -> None:
    @app.command("jobs")
    def jobs(
        retry: Annotated[str, typer.Option(help="The id of a parked job that gets another round of tries.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Lists jobs that failed and wait, or were parked after their last try."""
        with open_instance(instance) as opened:
            if retry:
                with opened.store.write() as tx:
                    if not retry_parked(tx, retry):
                        raise NotFound("no_job", "There is no parked job {id}.", id=retry)
                console.print("It will be tried again by the worker.")
                return
            grid = Grid()
            grid.add_column("id", no_wrap=True)
            for name in ("kind", "state", "tries", "due", "what went wrong"):
                grid.add_column(name)
            failed = select(job).where(job.c.state != "done", job.c.error != "").order_by(job.c.id).limit(_SHOWN)
            with opened.store.read() as tx:
                for row in tx.all(failed):
                    due = format_moment(row["due_at"], opened.settings.timezone, opened.settings.language)
                    grid.add_row(row["id"], row["kind"], row["state"], str(row["attempts"]), due, row["error"])
            console.print(grid)
