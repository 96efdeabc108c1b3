"""The README and the guides tell the truth: the tests run their commands unchanged, and the output matches."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.core import TyperCommand
from typer.testing import CliRunner

from commensal.base.entry_points import plugin_entry_points
from commensal.parts.cli import app
from commensal.parts.cli.commands import COMMANDS, claimed_names
from commensal.parts.setup.begin import USUAL

from .shell import Shell
from .test_every_command import commands_of

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "core" / "guides"
OPERATOR = GUIDES / "operator.md"
READ_IN_ORDER = [GUIDES / f"{name}.md" for name in ("operator", "trading", "producer", "coordinator")]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#([^)]+))?\)")
_NAMED = re.compile(r"(?:`|^\$? ?)(?:runuser -u commensal -- )?commensal ([a-z][^`…]*?)(?:`|$)", re.MULTILINE)
_BLOCK = re.compile(r"^```(console|(?:csv|toml) file=\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.long  # some forty commands
def test_the_commands_of_the_guides_do_what_they_say(tmp_path: Path, shell: Shell) -> None:
    runs = 0
    pages = "".join(guide.read_text(encoding="utf-8") for guide in READ_IN_ORDER)
    for kind, text in _BLOCK.findall(pages):
        if kind != "console":
            (tmp_path / kind.partition("=")[2]).write_text(text, encoding="utf-8")
            continue
        for command, expected in _commands(text):
            program, *words = shlex.split(command)
            assert program == "commensal"
            result = shell.run(*words, cwd=tmp_path, env={**os.environ, "COLUMNS": "200"})
            assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
            pattern = "".join(".*" if part == "…" else re.escape(part) for part in expected.strip())
            assert re.search(pattern, result.stdout, re.DOTALL), f"{command}\n{result.stdout}"
            runs += 1
    assert runs >= 10


_ANSWERS = {"init": "Les Paniers du Val\n\n\n\nmarie@example.org\nun mot de passe long\nun mot de passe long\n"}
_ONLINE_CHECKS = " --mail --online"  # a mail server and a certificate


def test_the_commands_for_a_server_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs our own commands, in folders that stand for the server's, and skips those of the system."""
    folders = ("/var/lib/commensal", "/var/backups/commensal", "/etc/systemd/system", "/etc/caddy")
    for folder in folders:
        Path(f"{tmp_path}{folder}").mkdir(parents=True)
    commands_run = []
    for line in "".join(
        re.findall(r"^```sh\n(.*?)^```$", OPERATOR.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ).splitlines():
        command = line.removeprefix("runuser -u commensal -- ").replace(_ONLINE_CHECKS, "")
        for folder in folders:
            command = command.replace(folder, f"{tmp_path}{folder}")
        program, *words = shlex.split(command)
        if program == "cd":
            monkeypatch.chdir(words[0])
        elif program == "rm":
            shutil.rmtree(words[-1])
        elif program == "chown" and words[-1].endswith("/var/backups/commensal"):  # a new machine
            (tmp_path / "var/lib/commensal/val/keys").rename(tmp_path / "var/lib/commensal/keys")
            shutil.rmtree(tmp_path / "var/lib/commensal/val")
        elif program == "commensal":
            result = CliRunner().invoke(app, words, input=_ANSWERS.get(words[0]), catch_exceptions=False)
            assert result.exit_code == 0, f"{line}\n{result.output}"
            commands_run.append(words[0])
    assert commands_run.count("init") == 3
    assert commands_run.count("restore") == 2
    assert {"check", "backup", "upgrade"} <= set(commands_run)
    assert sorted(path.name for path in Path(f"{tmp_path}/etc").glob("*/*")) == ["Caddyfile", "system"]
    assert len(list(Path(f"{tmp_path}/var/backups/commensal/val").glob("*.zip"))) == 1


@pytest.mark.bundled
def test_every_command_that_a_guide_names_is_there_with_its_options() -> None:
    """Those within sentences, too, which no test runs as they stand."""
    known = dict(commands_of([*COMMANDS, *claimed_names(), *plugin_entry_points()]))
    named = {
        (page.name, " ".join(words.split()))
        for page in [ROOT / "README.md", *sorted(GUIDES.glob("*.md"))]
        for words in _NAMED.findall(page.read_text("utf-8"))
    }
    assert len(named) > 100
    mistakes = {f"{page}: {words}": _mistake(shlex.split(words, comments=True), known) for page, words in named}
    assert {command: mistake for command, mistake in mistakes.items() if mistake} == {}


def _mistake(words: list[str], known: Mapping[str, TyperCommand]) -> str:
    """What is wrong with the words after `commensal`; "" for a command or a group of commands."""
    path = next((path for n in (3, 2, 1) if (path := " ".join(words[:n])) in known), "")
    if not path:
        return "" if any(each.startswith(f"{' '.join(words)} ") for each in known) else "no such command"
    options = {name: option for option in known[path].params for name in (*option.opts, *option.secondary_opts)}
    arguments = [each for each in known[path].params if each.param_type_name == "argument"]
    positional, rest = 0, iter(words[len(path.split()) :])
    for word in itertools.takewhile(lambda each: each != ">", rest):
        if not word.startswith("-"):
            positional += 1
        elif word not in options:
            return f"no option {word}"
        elif not getattr(options[word], "is_flag", False):
            next(rest, "")
    return "" if positional <= len(arguments) or any(each.nargs < 0 for each in arguments) else "too many words"


def _commands(block: str) -> list[tuple[str, str]]:
    """Returns each command of a block with its expected output."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, answer) for command, _, answer in (part.partition("\n") for part in parts)]


def test_the_guide_shows_every_bundled_plugin_switched_on() -> None:
    states = dict(re.findall(r"^ (\w+) +\S+ +(enabled)\b", OPERATOR.read_text(encoding="utf-8"), re.MULTILINE))
    assert states == dict.fromkeys(USUAL, "enabled")


def broken_links(page: Path) -> list[str]:
    """Returns the links of a page that lead to no file, or to no heading of a file."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    return [
        f"{file}#{heading}".rstrip("#") for file, heading in links if not _target_exists(page.parent / file, heading)
    ]


def _target_exists(file: Path, heading: str) -> bool:
    if not heading or not file.is_file():
        return file.exists()
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted(GUIDES.glob("*.md")), *sorted(ROOT.glob("core/*.md"))],
    ids=lambda page: page.stem,
)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Here I am\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md#here-i-am) [b](there.md#nowhere) [c](gone.md) [d](https://x.example)", encoding="utf-8"
    )
    assert broken_links(page) == ["there.md#nowhere", "gone.md"]
