"""Commands speak French in a French shell, and English in any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commensal.base.errors import Invalid, PluginError, Problem, SettingsError, Several, StoreError
from commensal.base.languages.catalogs import spaced
from commensal.base.reading import read_settings
from commensal.instance import InstanceSettings
from commensal.parts.terminal.shell import print_line, shell_language, spoken, told, translation_key

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
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "nl_NL.UTF-8"}, "en"),
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
    invalid = Invalid([Problem("name", "Please give a name.", "/name")])
    assert told(invalid) == str(invalid) == "Some of what was sent is not right.; /name: Please give a name."
    assert told(PluginError("cash", "jobs", "{odd}")) == "The plugin 'cash' failed in jobs: {odd}"
    assert told(StoreError("{file} is gone.", file="a.db")) == "a.db is gone."
    assert str(StoreError("as {it} is")) == "as {it} is"
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert told(PluginError("cash", "jobs", "{odd}")) == spaced("fr", "L’extension 'cash' a échoué dans jobs : {odd}")


def test_an_error_inside_an_error_is_told_in_the_same_language(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = StoreError("There is no backup in {folder}.", folder="/b")
    error = StoreError("The copy is not sound: {first}.", first=Several([inner, "odd", OSError("gone")]))
    assert told(error) == str(error) == "The copy is not sound: There is no backup in /b.; odd; gone."
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert told(error) == spaced("fr", "La copie n’est pas saine : Il n’y a pas de sauvegarde dans /b.; odd; gone.")


@pytest.mark.parametrize(
    ("values", "english", "french"),
    [
        (
            {"server": {"prot": 1}},
            "server.prot is unknown; did you mean 'port'?",
            "server.prot est inconnu ; vouliez-vous dire « port » ?",
        ),
        (
            {"server": {"port": "x"}},
            "server.port: expected `int`, got `str`.",
            "server.port : `int` était attendu, et non `str`.",
        ),
        (
            {"mail": {"security": "ssl"}},
            "mail.security: expected one of 'starttls', 'tls', 'none', got 'ssl'.",
            "mail.security : une valeur parmi 'starttls', 'tls', 'none' était attendue, et non 'ssl'.",
        ),
        (
            {"language": "nl"},
            "language: there is no catalogue for 'nl'; there are de, en, fr.",
            "language : il n’y a pas de catalogue pour 'nl' ; il y a de, en, fr.",
        ),
        (
            {"timezone": "Paris"},
            "timezone: 'Paris' is not an IANA time zone, like Europe/Paris.",
            "timezone : « Paris » n’est pas un fuseau horaire de l’IANA, comme Europe/Paris.",
        ),
        (
            {"outbound": {"allow": ["x"]}},
            "outbound.allow: 'x' is not an address or network; write 127.0.0.1:8080, 10.0.0.0/8 or [fd00::]/8.",
            "outbound.allow : « x » n’est ni une adresse ni un réseau ; écrivez 127.0.0.1:8080, 10.0.0.0/8 ou "
            "[fd00::]/8.",
        ),
    ],
)
def test_a_mistake_in_settings_is_told_in_french(
    values: dict[str, object], english: str, french: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(InstanceSettings, {"name": "Val", **values})
    assert str(error.value) == english
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert told(error.value) == spaced("fr", french)


def test_a_missing_setting_is_told_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(InstanceSettings, {})
    assert str(error.value) == "object missing required field `name`."
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert told(error.value) == "il manque le champ `name`."


def test_a_docstring_is_looked_up_as_one_line_for_each_paragraph() -> None:
    assert (
        translation_key("Makes one,\n        and two.\n\n        Then three.\n    ")
        == "Makes one, and two.\n\nThen three."
    )


def test_help_is_french_in_a_french_shell(shell: Shell) -> None:
    help_text = shell.run("user", "--help", env=FRENCH).stdout
    assert "Crée une personne" in help_text
    assert "Le dossier de l’instance." in help_text
    assert "Une fédération" in shell.run("--help", env=FRENCH).stdout


def test_a_command_that_is_refused_says_so_in_french(shell: Shell, tmp_path: Path) -> None:
    result = shell.run("check", "--instance", tmp_path / "none", env=FRENCH)
    assert result.returncode == 1
    assert "SettingsError: Il n’y a pas de" in result.stderr
    assert "en crée un." in " ".join(result.stderr.split())


def test_commands_answer_in_french_in_a_french_shell(shell: Shell, tmp_path: Path) -> None:
    def answer(*words: str) -> str:
        result = shell.run(*words, "--instance", tmp_path / "val", env={**FRENCH, "COLUMNS": "160"})
        return result.stdout + result.stderr

    output_of_init = answer(
        "init",
        "--name",
        "Val",
        "--base-url",
        "http://127.0.0.1:8000",
        "--language",
        "fr",
        "--timezone",
        "Europe/Paris",
        "--sender",
        "bonjour@example.org",
    )
    assert f"L’instance est dans {tmp_path / 'val'}. Démarrez-la avec" in output_of_init
    answer("user", "marie@example.org", "--password", "un mot de passe long")
    output_of_add = answer("enterprise", "add", "Les Paniers", "--owner", "marie@example.org", "--hub", "--producer")
    assert output_of_add == "Les Paniers s’appelle les-paniers dans les commandes et les adresses.\n"
    enterprises = answer("enterprise", "list")
    assert "nom dans les commandes" in enterprises
    assert "producteur, hub" in enterprises
    assert "activée" in (plugins := answer("plugins"))
    assert "des lieux où les clients retirent leurs commandes" in plugins
    assert "stocks, numéros, totaux, paiements et journaux concordent." in answer("check")
    assert "attention mail.host est vide" in answer("check")
    assert answer("report", "personne") == "NotFound: Il n’y a pas d’entreprise personne.\n"


def test_what_a_command_refuses_itself_is_french_too(shell: Shell, tmp_path: Path) -> None:
    result = shell.run("new-plugin", "Ma Caisse", "--payment", "--folder", tmp_path / "new", env=FRENCH)
    assert result.returncode == 2
    message = " ".join(result.stderr.replace("│", " ").split())
    assert "'Ma Caisse' n’est pas un identifiant" in message
    assert "Vouliez-vous dire ma_caisse ?" in message
