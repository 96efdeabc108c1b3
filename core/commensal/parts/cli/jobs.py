"""``commensal jobs``: lists failed jobs, and tries them again."""

from __future__ import annotations

from typing import Annotated

import typer

from ...base.languages.formats import format_moment
from ...instance import open_instance
from ...storage.jobs.failed import failed_jobs, retry_all_failed
from ..terminal.lists import console, print_table
from ..terminal.shell import spoken
from .named import HERE, Folder

_SHOWN = 200


def add_to(app: typer.Typer) -> None:
    @app.command("jobs")
    def jobs(
        retry: Annotated[
            str, typer.Option(help="The id of a failed job that gets another round of tries now, or the kind of all.")
        ] = "",
        instance: Folder = HERE,
    ) -> None:
        """Lists jobs that failed and wait, or were parked after their last try."""
        with open_instance(instance) as opened:
            if retry:
                with opened.store.write() as tx:
                    count = retry_all_failed(tx, retry)
                console.print(spoken("The worker will try again: {count}.", count=count))
                return
            rows = []
            with opened.store.read() as tx:
                for failed in failed_jobs(tx, limit=_SHOWN):
                    due = format_moment(failed.due_at, opened.settings.timezone, opened.settings.language)
                    rows.append((failed.id, failed.kind, failed.state, str(failed.attempts), due, failed.error))
            if rows:
                print_table(("id", *_columns()), rows)
            else:
                console.print(spoken("No job has failed."))


def _columns() -> tuple[str, ...]:
    return spoken("kind"), spoken("state"), spoken("tries"), spoken("due"), spoken("what went wrong")
