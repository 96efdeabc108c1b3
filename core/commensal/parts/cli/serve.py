"""``commensal serve``: runs the web server, with the worker in the same process."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ...base.logs import configure_logs
from ...instance import open_instance
from ..serving.serving import serve
from ..terminal.shell import print_line
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("serve")
    def serve_command(
        instance: Folder = HERE,
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="Instead of the port in instance.toml.")
        ] = None,
        jobs: Annotated[bool, typer.Option(help="Also do jobs; --no-jobs where `commensal work` runs.")] = True,
    ) -> None:
        """Serves the instance until it is stopped (Ctrl-C)."""
        with open_instance(instance) as opened:
            logs = opened.settings.logs
            configure_logs(sys.stderr, level=logs.level, format=logs.format)
            serve(opened, port=port, jobs=jobs, started=lambda url: print_line("Serving on {url}", url=url))
