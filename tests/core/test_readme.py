"""The README tells the truth: its commands are run as they stand there, in order, and answer what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commensal.cli import app
from commensal.instance.begin import USUAL

from .shell import Shell

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"^```(console|(?:csv|toml) file=\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path, shell: Shell) -> None:
    ran = 0
    for kind, text in _BLOCK.findall(README.read_text(encoding="utf-8")):
        if kind != "console":
            (tmp_path / kind.partition("=")[2]).write_text(text, encoding="utf-8")
            continue
        for command, expected in _commands(text):
            program, *words = shlex.split(command)
            assert program == "commensal"
            done = shell.run(*words, cwd=tmp_path, env={**os.environ, "COLUMNS": "200"})
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            told = "".join(".*" if one == "…" else re.escape(one) for one in expected.strip())
            assert re.search(told, done.stdout, re.DOTALL), f"{command}\n{done.stdout}"
            ran += 1
    assert ran >= 10


_ANSWERS = {"init": "Les Paniers du Val\n\n\n\n", "user": "un mot de passe long\n" * 2}
_NOT_HERE = " --mail --online"  # a mail server and a certificate


def test_the_commands_for_a_server_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of ours, in folders that stand for the server's. The others are the system's."""
    folders = ("/var/lib/commensal", "/var/backups/commensal", "/etc/systemd/system", "/etc/caddy")
    for one in folders:
        Path(f"{tmp_path}{one}").mkdir(parents=True)
    ran = []
    for line in "".join(
        re.findall(r"^```sh\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ).splitlines():
        here = line.removeprefix("runuser -u commensal -- ").replace(_NOT_HERE, "")
        for one in folders:
            here = here.replace(one, f"{tmp_path}{one}")
        program, *words = shlex.split(here)
        if program == "cd":
            monkeypatch.chdir(words[0])
        elif program == "rm":
            shutil.rmtree(words[-1])
        elif program == "chown" and words[-1].endswith("/var/backups/commensal"):  # a new machine
            shutil.rmtree(tmp_path / "var/lib/commensal/val")
        elif program == "commensal":
            done = CliRunner().invoke(app, words, input=_ANSWERS.get(words[0]), catch_exceptions=False)
            assert done.exit_code == 0, f"{line}\n{done.output}"
            ran.append(words[0])
    assert ran.count("init") == 3
    assert ran.count("restore") == 2
    assert {"user", "check", "backup", "upgrade"} <= set(ran)
    assert sorted(one.name for one in Path(f"{tmp_path}/etc").glob("*/*")) == ["Caddyfile", "system"]
    assert len(list(Path(f"{tmp_path}/var/backups/commensal/val").glob("*.zip"))) == 1


def _commands(block: str) -> list[tuple[str, str]]:
    """Each command with what follows it up to the next one."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in parts)]


def test_the_readme_shows_every_bundled_plugin_switched_on() -> None:
    shown = dict(re.findall(r"^ (\w+) +\S+ +(enabled)\b", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert shown == dict.fromkeys(USUAL, "enabled")
