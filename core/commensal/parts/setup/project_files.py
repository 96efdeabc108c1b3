"""Files of the project that an installed program carries: the example of settings, and its own source."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_CARRIED = ("README.md", "LICENSE", "pyproject.toml", "instance.example.toml", "core/release/constraints.txt")
_ROOTS = {"commensal": "core", "commensal_federation": "federation"}


def project_file(name: str) -> Path:
    """Returns a file of the project's top folder: from the wheel, or from the checkout that is installed as it is."""
    carried = _PACKAGE / "project" / name
    return carried if carried.exists() else _PACKAGE.parents[1] / name


def source_files() -> Iterator[tuple[str, Path]]:
    """Yields the path in the project and the file of all that this program is built from: the core, the federation and
    the bundled plugins. Plugins of others are their authors' to publish."""
    for name in _CARRIED:
        yield name, project_file(name)
    for package in sorted(_bundled()):
        folder = _folder_of(package)
        root = _ROOTS.get(package, "plugins")
        for file in sorted(folder.rglob("*")):
            inner = file.relative_to(folder)
            if file.is_file() and "__pycache__" not in inner.parts and inner.parts[0] != "project":
                yield f"{root}/{package}/{inner.as_posix()}", file


def _bundled() -> set[str]:
    """The packages that came with this distribution."""
    plugins = entry_points(group="commensal")
    ours = {entry.module.split(".")[0] for entry in plugins if entry.dist and entry.dist.name == "commensal"}
    return {"commensal", *ours}


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(package)
    return Path(spec.origin).parent
