"""The READMEs of packages and the page on architecture name files, folders and functions that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "core" / "commensal", ROOT / "federation" / "commensal_federation")
ROOMS = sorted(page.parent for package in PACKAGES for page in package.rglob("README.md"))
ARCHITECTURE = ROOT / "core" / "ARCHITECTURE.md"
PATH = re.compile(r"`((?:\.\./)*[a-z_]+(?:/[a-z_]+)*(?:\.py|/))`")


def missing_paths(page: str, folder: Path) -> list[str]:
    """Returns the files and folders named by the page, relative to `folder` or the project, that do not exist."""
    return [path for path in PATH.findall(page) if not any((start / path).exists() for start in (folder, ROOT))]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_what_the_page_of_a_room_names_exists(room: Path) -> None:
    page = (room / "README.md").read_text(encoding="utf-8")
    assert missing_paths(page, room) == []


def test_a_page_that_names_a_file_that_is_not_there_is_found(tmp_path: Path) -> None:
    assert missing_paths("look into `nowhere.py` and `cellar/`", tmp_path) == ["nowhere.py", "cellar/"]


def test_each_room_stands_in_the_drawing_and_on_the_page_of_its_ring() -> None:
    core = ROOT / "core" / "commensal"
    drawing = ARCHITECTURE.read_text(encoding="utf-8").split("```")[1]
    for ring in (core, core / "parts"):
        rooms = {folder.name for folder in ring.iterdir() if (folder / "__init__.py").exists()} - {"parts", "testing"}
        page = (ring / "README.md").read_text(encoding="utf-8")
        assert {room for room in rooms if not re.search(rf"^\| \[?`{room}/`", page, re.MULTILINE)} == set()
        assert {room for room in rooms if not re.search(rf"^    .*\b{room}\b", drawing, re.MULTILINE)} == set()


@pytest.mark.parametrize(
    "ring", [ROOT / "core" / "commensal", ROOT / "core" / "commensal" / "parts"], ids=["kernel", "parts"]
)
def test_entry_functions_are_defined_in_their_rooms(ring: Path) -> None:
    rows = re.findall(r"^\| \[?`([a-z_]+)/`.* \|([^|]*)\|$", (ring / "README.md").read_text("utf-8"), re.MULTILINE)
    assert rows
    for room, functions in rows:
        code = "".join(file.read_text(encoding="utf-8") for file in (ring / room).glob("*.py"))
        for function in re.findall(r"`([a-z_]+)`", functions):
            assert f"def {function}(" in code, f"{room} has no {function}"
