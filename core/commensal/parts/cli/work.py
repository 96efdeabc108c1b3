"""``commensal work``: runs the job worker alone."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer

from ...base.logs import configure_logs
from ...instance import Instance, open_instance
from ...storage.jobs.periodic import tick, ticking
from ...storage.jobs.registry import Slots
from ...storage.jobs.workers import named_worker
from ..monitoring.backups_folder import watching_backups_folder
from ..monitoring.watched import watching_certificate
from ..serving.serving import bound_memory, tune_garbage_collector
from ..serving.work import answering, work_of
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("work")
    def work(
        instance: Folder = HERE,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Answer /-/health on this port of 127.0.0.1.")
        ] = None,
        once: Annotated[bool, typer.Option(help="Do what is due now, then stop.")] = False,
    ) -> None:
        """Does jobs: e-mails, sales that complete or repeat. Any number of workers may run."""
        with open_instance(instance) as opened:
            logs = opened.settings.logs
            configure_logs(sys.stderr, level=logs.level, format=logs.format)
            if once:
                with named_worker(opened):
                    tick(opened, work_of(opened), slots=Slots())
                return
            bound_memory()
            stop = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            with (
                ticking(opened, work_of(opened)),
                watching_certificate(opened),
                watching_backups_folder(opened),
                _answering(opened, port),
            ):
                tune_garbage_collector()
                # Not without an end: this thread runs the handler, and no signal wakes it that reaches another thread.
                while not stop.wait(1.0):
                    pass


def _answering(instance: Instance, port: int | None) -> AbstractContextManager[object]:
    return nullcontext() if port is None else answering(instance, port)
