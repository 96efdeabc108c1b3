"""The recipes of plugins/COOKBOOK.md as files."""

from __future__ import annotations

import re
from pathlib import Path

COOKBOOK = Path(__file__).parents[2] / "plugins" / "COOKBOOK.md"
_FILE = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The files of all recipes by their paths."""
    return dict(_FILE.findall(COOKBOOK.read_text(encoding="utf-8")))


def ids() -> list[str]:
    """The ids of the plugins."""
    return [name.split("/")[0].removeprefix("commensal_") for name in files() if name.endswith("/__init__.py")]


def install_into(folder: Path) -> None:
    """Writes all recipes into `folder`, as one distribution, as pip would do it."""
    for name, text in files().items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    metadata = folder / "cookbook-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cookbook\nVersion: 1\n", encoding="utf-8")
    points = "\n".join(f"{plugin} = commensal_{plugin}" for plugin in ids())
    (metadata / "entry_points.txt").write_text(f"[commensal]\n{points}\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text("[tool.mypy]\nstrict = true\n", encoding="utf-8")
