"""Command-line arguments that several rooms use."""

from __future__ import annotations

from typing import Annotated

import typer

OurEnterprise = Annotated[str, typer.Argument(help="The enterprise of this instance, by its id or slug.")]
