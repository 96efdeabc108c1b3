"""The plugins in tests/plugins/examples, each a project of its own, away from the configuration of this suite."""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).with_suffix("")
FOLDERS = sorted(file.parent for file in HERE.glob("*/pyproject.toml"))


def copy_into(folder: Path) -> list[str]:
    """Copies all of them into `folder`. Returns the paths there, as one types them for pip."""
    for example in FOLDERS:
        shutil.copytree(example, folder / example.name)
    return [f"./{example.name}" for example in FOLDERS]
