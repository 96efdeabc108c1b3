"""The README tells the truth: its commands are run as they stand there, in order, and answer what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from commensal.instance.begin import USUAL

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"^```(console|(?:csv|toml) file=\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "COLUMNS": "200"}
    ran = 0
    for kind, text in _BLOCK.findall(README.read_text(encoding="utf-8")):
        if kind != "console":
            (tmp_path / kind.partition("=")[2]).write_text(text, encoding="utf-8")
            continue
        for command, expected in _commands(text):
            done = subprocess.run(
                shlex.split(command), cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            told = "".join(".*" if one == "…" else re.escape(one) for one in expected.strip())
            assert re.search(told, done.stdout, re.DOTALL), f"{command}\n{done.stdout}"
            ran += 1
    assert ran >= 10


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command with what follows it up to the next one."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in parts)]


def test_the_readme_shows_every_bundled_plugin_switched_on() -> None:
    shown = dict(re.findall(r"^ (\w+) +\S+ +(enabled)\b", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown == dict.fromkeys(USUAL, "enabled")
