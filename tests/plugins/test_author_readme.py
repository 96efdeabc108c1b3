"""plugins/README.md tells the truth: what it says to write is written, what it says to run is run, and answers so."""

from __future__ import annotations

import re
from pathlib import Path

from commensal.testing.fixtures import pytest_configure

from .workbench import make_workbench

README = Path(__file__).parents[2] / "plugins" / "README.md"
_BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)?(?:#([^)]+))?\)")


def test_its_blocks_do_what_it_says(tmp_path: Path) -> None:
    bench = make_workbench(tmp_path)
    at, ran = bench.folder, 0
    for kind, file, text in _BLOCK.findall(README.read_text(encoding="utf-8")):
        if kind == "console":
            for command, expected in _commands(text):
                if command.startswith("cd "):
                    at /= command.removeprefix("cd ")
                    continue
                said = bench.run(command, at)
                told = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", expected.strip()))
                assert re.search(told, said, re.DOTALL), f"$ {command}\n{said}"
                ran += 1
        elif file:
            assert (at / file).is_file(), f"{file} should have been written by commensal new-plugin"
            (at / file).write_text(text, encoding="utf-8")
        else:
            assert text.strip() in (at / "pyproject.toml").read_text(encoding="utf-8")
    assert ran >= 10
    bench.run("ruff check --no-cache .", at)


def test_its_links_lead_somewhere() -> None:
    for file, heading in _LINK.findall(README.read_text(encoding="utf-8")):
        page = README.parent / file
        assert page.exists(), file
        if heading:
            headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}, heading


def test_it_names_every_fixture() -> None:
    text = README.read_text(encoding="utf-8")
    fixtures = Path(pytest_configure.__code__.co_filename).read_text(encoding="utf-8")
    for name in re.findall(r"^@pytest.fixture\ndef (\w+)", fixtures, re.MULTILINE):
        assert f"`{name}`" in text, name


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command with what follows it up to the next one."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in parts)]
