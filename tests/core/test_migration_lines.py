"""Two people who add a revision at the same time both build on the same one: whoever lands second must build on the
first one's, or no database can be migrated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from commensal.storage.database.revisions import MIGRATIONS

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    {
        file.parent
        for place in ("core", "federation", "plugins")
        for file in (ROOT / place).rglob("migrations/**/*.py")
        if "down_revision" in file.read_text(encoding="utf-8")
    }
)
_NUMBER = re.compile(r"\d{4}")


def two_ends(folder: Path) -> Iterator[str]:
    """Says what is wrong with the revisions in the folder."""
    scripts = ScriptDirectory(MIGRATIONS, version_locations=[folder])
    heads = sorted(scripts.get_heads())
    if len(heads) > 1:
        newest = " and ".join(heads)
        yield f"{folder}: {newest} are both the newest; let the later one have the other as its down_revision."
    counts = Counter(digits[0] for file in folder.glob("*.py") if (digits := _NUMBER.search(file.name)))
    for number in sorted(number for number, count in counts.items() if count > 1):
        yield f"{folder}: two files have the number {number}; give the later one the next number."


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_each_line_of_migrations_has_one_end(folder: Path) -> None:
    assert list(two_ends(folder)) == []


def test_two_ends_are_told(tmp_path: Path) -> None:
    for name, before in (("0001_first", None), ("0002_yours", "0001_first"), ("0002_mine", "0001_first")):
        (tmp_path / f"{name}.py").write_text(f"revision = {name!r}\ndown_revision = {before!r}\n")
    sentences = list(two_ends(tmp_path))
    assert [sentence.removeprefix(f"{tmp_path}: ") for sentence in sentences] == [
        "0002_mine and 0002_yours are both the newest; let the later one have the other as its down_revision.",
        "two files have the number 0002; give the later one the next number.",
    ]
