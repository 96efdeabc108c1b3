"""``commensal work``: runs the job worker alone."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Annotated

import typer

from ..base.logs import configure_logs
from ..instance import open_instance
from ..operations.memory import bound_memory, tune_garbage_collector
from ..operations.work import work_of
from ..storage.jobs.slots import Slots
from ..storage.jobs.ticking import tick, ticking
from .folder import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("work")
    def work(
        instance: Folder = HERE,
        once: Annotated[bool, typer.Option(help="Do what is due now, then stop.")] = False,
    ) -> None:
        """Does jobs: e-mails, sales that complete or repeat. Any number of workers may run."""
        with open_instance(instance) as opened:
            logs = opened.settings.logs
            configure_logs(sys.stderr, level=logs.level, format=logs.format)
            if once:
                tick(opened, work_of(opened), slots=Slots())
                return
            bound_memory()
            stop = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            with ticking(opened, work_of(opened)):
                tune_garbage_collector()
                stop.wait()
