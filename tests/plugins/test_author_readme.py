"""The instructions of plugins/README.md are true: the files are written, the commands run, and their output is as
shown.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commensal.testing.fixtures import pytest_configure

from .workbench import make_workbench

README = Path(__file__).parents[2] / "plugins" / "README.md"
_BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)?(?:#([^)]+))?\)")


@pytest.mark.long
def test_its_blocks_do_what_it_says(tmp_path: Path) -> None:
    bench = make_workbench(tmp_path)
    folder, runs = bench.folder, 0
    for kind, file, text in _BLOCK.findall(README.read_text(encoding="utf-8")):
        if kind == "console":
            for command, expected in _commands(text):
                if command.startswith("cd "):
                    folder /= command.removeprefix("cd ")
                    continue
                output = bench.run(command, folder)
                pattern = "".join(
                    ".*" if part == "…" else re.escape(part) for part in re.split("(…)", expected.strip())
                )
                assert re.search(pattern, output, re.DOTALL), f"$ {command}\n{output}"
                runs += 1
        elif file:
            assert (folder / file).is_file(), f"{file} should have been written by commensal new-plugin"
            (folder / file).write_text(text, encoding="utf-8")
        else:
            assert text.strip() in (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert runs >= 10
    bench.run("ruff check --no-cache .", folder)


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
    """Returns each command with the text that follows it up to the next one."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in parts)]
