"""The option ``--instance``, which nearly all commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--instance", help="The folder of the instance.", file_okay=False)]
HERE = Path(".")
