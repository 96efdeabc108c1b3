"""The scripts of the containers of compose.yaml, as a shell reads them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

COMPOSE = Path(__file__).parents[2] / "core" / "install" / "compose.yaml"
_SCRIPT = re.compile(r"^  (\w+):\n.*\n    command:\n      - \|\n((?: {8}.*\n)+)", re.MULTILINE)


def scripts_of_containers() -> dict[str, str]:
    """By service: `web`, `worker`."""
    scripts = _SCRIPT.findall(COMPOSE.read_text("utf-8"))
    return {name: textwrap.dedent(block).replace("$$", "$") for name, block in scripts}


def steps_of_setup() -> list[str]:
    """The lines that `web` runs before it serves."""
    body = scripts_of_containers()["web"].partition("set_up() {\n")[2].partition("\n}\n")[0]
    return body.splitlines(keepends=True)
