"""Options that many commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option("--instance", help="The folder of the instance.", file_okay=False)]
HERE = Path(".")
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
