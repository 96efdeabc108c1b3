"""Every command of the core and of plugins, on an instance that lacks something: a sentence, and no traceback."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from typer.core import TyperCommand

from commensal.base.entry_points import plugin_entry_points
from commensal.parts.cli import app, sentence_about
from commensal.parts.cli.commands import COMMANDS, claimed_names
from commensal.parts.setup.begin import begin_instance, usual_plugins

from .shell import Shell

pytestmark = [pytest.mark.bundled, pytest.mark.filterwarnings("ignore::getpass.GetPassWarning")]

ENDLESS = ("serve", "work")  # they come to no end where nothing is wrong
APART = ("init", "demo", "new-plugin", "plugin install", "texts")  # they use no instance that is there

# What parameters are given, by their names. An "x" that does not exist reaches as far as the database.
VALUES = {
    "enterprise": "les-paniers",
    "named": "les-paniers",
    "hub": "les-paniers",
    "producer": "les-paniers",
    "email": "marie@example.org",
    "owner": "marie@example.org",
    "amount": "10",
    "spares": "10",
    "order": "1",
    "closes": "thursday 20:00",
    "begins": "friday 17:00",
    "ends": "19:00",
    "on": "2026-06-04",
    "plugin": "cash",
    "url": "http://127.0.0.1:9",
    "source": "http://127.0.0.1:9",
    "peer": "http://127.0.0.1:9",
}


def leaves(command: Any, path: str) -> Iterator[tuple[str, TyperCommand]]:
    """This command, or those below it, with their paths like `keys init`."""
    below = getattr(command, "commands", {})
    for name, subcommand in below.items():
        yield from leaves(subcommand, f"{path} {name}")
    if not below:
        yield path, command


def commands_of(names: list[str]) -> list[tuple[str, TyperCommand]]:
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="commensal")
    commands = [(name, group.get_command(context, name)) for name in names]
    return [leaf for name, command in commands if command is not None for leaf in leaves(command, name)]


@pytest.fixture(scope="module")
def every_command() -> list[tuple[str, TyperCommand]]:
    """All commands that work on an instance; short names that plugins claim are left out."""
    commands = commands_of([*COMMANDS, *plugin_entry_points()])
    assert len(commands) > 100
    return [(path, command) for path, command in commands if path not in APART]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, shell: Shell) -> Path:
    """The folder of an instance with all plugins, its operator Marie and a hub, to be copied."""
    folder = tmp_path_factory.mktemp("template") / "val"
    begin_instance(folder, name="Val", plugins=tuple(usual_plugins()[0]))
    for words in (
        ("user", "marie@example.org", "--name", "Marie", "--operator", "--password", "un mot de passe long"),
        ("enterprise", "add", "Les Paniers", "--owner", "marie@example.org", "--hub", "--producer"),
        ("keys", "init"),
    ):
        assert shell.run(*words, "--instance", folder).returncode == 0
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "val")
    return tmp_path / "val"


def arguments(command: Any, folder: Path) -> list[str]:
    """A value for everything that the command requires."""
    words = []
    for parameter in command.params:
        if parameter.name in ("instance", "folder") and "--instance" in parameter.opts:
            words += ["--instance", str(folder)]
        elif parameter.name == "yes":
            words.append("--yes")
        elif parameter.name == "password":
            words += ["--password", "un mot de passe long"]
        elif parameter.required:
            value = a_value(parameter, folder)
            words += [value] if parameter.param_type_name == "argument" else [parameter.opts[0], value]
    return words


def a_value(parameter: Any, folder: Path) -> str:
    annotation = parameter.type_descriptor.annotation
    if annotation is Path:
        return str(_a_file(folder))
    choices = [choice for choice in get_args(annotation) if isinstance(choice, str)]
    return choices[0] if choices else VALUES.get(parameter.name, "x")


def _a_file(folder: Path) -> Path:
    """A file that is there, and is none that a command could read."""
    file = folder.parent / "file.txt"
    file.write_text("x")
    return file


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that ask for something get the end of the input."""
    monkeypatch.setattr("sys.stdin", io.StringIO())


def run(path: str, command: Any, folder: Path) -> str:
    """Runs the command. Returns its error as an operator reads it; "" for none. Raises a fault of the program."""
    silence = io.StringIO()
    try:
        with redirect_stdout(silence), redirect_stderr(silence):
            command.main(arguments(command, folder), prog_name=f"commensal {path}", standalone_mode=False)
    except (SystemExit, typer.Exit, typer.Abort, typer.TyperException):
        return ""  # it has said itself what is missing, or asked
    except Exception as error:
        if not (sentence := sentence_about(error)):
            raise AssertionError(f"commensal {path} has a traceback: {error!r}") from error
        return sentence
    return ""


# ------------------------------------------------------------------------------------------------ a plugin is off


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance without plugins."""
    folder = tmp_path_factory.mktemp("bare") / "val"
    begin_instance(folder, name="Val", plugins=())
    return folder


def test_every_command_of_a_plugin_says_how_it_is_enabled_where_it_is_off(
    every_command: list[tuple[str, TyperCommand]], bare: Path
) -> None:
    plugins = plugin_entry_points()
    of_plugins = [(path, command) for path, command in every_command if path.split()[0] in plugins]
    of_plugins.remove(next(leaf for leaf in of_plugins if leaf[0] == "federation verify-evidence"))  # needs no instance
    assert len(of_plugins) > 60
    for path, command in of_plugins:
        plugin = path.split()[0]
        expected = f"The plugin {plugin} is off here; `commensal plugin enable {plugin} --instance {bare}` enables it."
        assert run(path, command, bare) == expected, path


def test_the_short_names_of_plugins_commands_say_it_too(bare: Path) -> None:
    commands = commands_of(claimed_names())
    assert "keys init" in dict(commands)
    for path, command in commands:
        assert "is off here" in run(path, command, bare), path


def test_commands_of_the_core_work_where_no_plugin_is_on(
    every_command: list[tuple[str, TyperCommand]], bare: Path
) -> None:
    plugins = plugin_entry_points()
    for path, command in every_command:
        if path.split()[0] not in plugins and path not in ENDLESS:
            run(path, command, bare)


def test_keys_are_made_once_the_plugin_is_on(shell: Shell, bare: Path, tmp_path: Path) -> None:
    """As an operator types it."""
    folder = tmp_path / "val"
    shutil.copytree(bare, folder)
    refused = shell.run("keys", "init", "--instance", folder)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert shell.run("plugin", "enable", "federation", "--instance", folder).returncode == 0
    assert shell.run("keys", "init", "--instance", folder).returncode == 0


# ------------------------------------------------------------------------------------------------ the instance is ill


def lose_database(folder: Path) -> None:
    (folder / "commensal.db").unlink()


def damage_database(folder: Path) -> None:
    (folder / "commensal.db").write_bytes(b"This is not a database." * 1000)


def damage_pages(folder: Path) -> None:
    """Overwrites half of the pages; the first, with the list of tables, stays."""
    with (folder / "commensal.db").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for page in range(1, size // 4096, 2):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)


def lose_settings(folder: Path) -> None:
    (folder / "instance.toml").unlink()


def garble_settings(folder: Path) -> None:
    (folder / "instance.toml").write_text("name = [")


def name_absent_server(folder: Path) -> None:
    file = folder / "instance.toml"
    text = file.read_text(encoding="utf-8")
    assert 'url = ""' in text
    file.write_text(text.replace('url = ""', 'url = "postgresql://nobody@127.0.0.1:1/nothing"'), encoding="utf-8")


@pytest.mark.long  # seconds
@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lose_database, "is missing or empty, but there is more of this instance"),
        (damage_database, "The file is damaged: keep it, and restore the newest backup"),
        (damage_pages, "The file is damaged: keep it, and restore the newest backup"),
        (lose_settings, "There is no {folder}/instance.toml."),
        (garble_settings, "{folder}/instance.toml: "),
        (name_absent_server, "Is the server running, and is database.url right?"),
    ],
)
def test_every_command_says_what_an_instance_lacks(
    every_command: list[tuple[str, TyperCommand]], folder: Path, harm: Callable[[Path], None], expected: str
) -> None:
    harm(folder)
    sentences = [run(path, command, folder) for path, command in every_command]
    those_that_say_it = [sentence for sentence in sentences if expected.format(folder=folder) in sentence]
    assert len(those_that_say_it) > 0.8 * len(every_command), set(sentences)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """What is in `folder`, on a disk that became read-only, as Linux does after errors of the disk."""
    copy = folder.with_name("copy")
    folder.rename(copy)
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "commensal", str(folder)], capture_output=True, check=False)
    if mount.returncode != 0:
        pytest.skip("only root may mount")
    try:
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_every_command_says_that_the_disk_is_read_only(
    every_command: list[tuple[str, TyperCommand]], folder: Path
) -> None:
    with read_only(folder):
        sentences = [run(path, command, folder) for path, command in every_command]
    those_that_say_it = [sentence for sentence in sentences if "read-only" in sentence]
    assert len(those_that_say_it) > 0.8 * len(every_command), set(sentences)
