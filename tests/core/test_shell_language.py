"""Commands speak French to who has a French shell, and English to everybody else."""

from __future__ import annotations

import os

import pytest

from commensal.errors import Invalid, PluginError, Problem, StoreError
from commensal.languages.shell import as_key, print_line, shell_language, spoken, told

from .shell import Shell

FRENCH = {**os.environ, "LC_ALL": "fr_FR.UTF-8"}


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr"}, "fr"),
        ({"LANGUAGE": "fr:en", "LANG": "en_GB.UTF-8"}, "fr"),
        ({"LC_MESSAGES": "fr_BE.UTF-8", "LANG": "nl_BE.UTF-8"}, "fr"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_shell_says_which_language(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert shell_language() == language


def test_a_text_is_spoken_with_its_values(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    print_line("{email} can log in.", email="{a}@coop.example")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    print_line("{email} can log in.", email="{a}@coop.example")
    assert capsys.readouterr().out == "{a}@coop.example can log in.\n{a}@coop.example peut se connecter.\n"
    assert spoken("Nobody has written {this}.") == "Nobody has written {this}."


def test_every_kind_of_error_is_told_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Invalid([Problem("name", "Please give a name.", "/name")])
    assert told(wrong) == str(wrong) == "Some of what was sent is not right.; /name: Please give a name."
    assert told(PluginError("cash", "jobs", "{odd}")) == "The plugin 'cash' failed in jobs: {odd}"
    assert told(StoreError("{file} is gone.", file="a.db")) == "a.db is gone."
    assert str(StoreError("as {it} is")) == "as {it} is"
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert told(PluginError("cash", "jobs", "{odd}")) == "L’extension 'cash' a échoué dans jobs : {odd}"


def test_a_docstring_is_looked_up_as_one_line_for_each_paragraph() -> None:
    assert as_key("Makes one,\n        and two.\n\n        Then three.\n    ") == "Makes one, and two.\n\nThen three."


def test_help_is_french_in_a_french_shell(shell: Shell) -> None:
    helped = shell.run("user", "--help", env=FRENCH).stdout
    assert "Crée une personne" in helped
    assert "Le dossier de l’instance." in helped
    assert "Une fédération" in shell.run("--help", env=FRENCH).stdout
