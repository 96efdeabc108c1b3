"""A plugin of each kind is written, installed, tested, listed and removed, as its author does it in another folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commensal.base.entry_points import plugin_entry_points
from commensal.parts.cli import app
from commensal.parts.plugin_kit.template.new_plugin import KINDS, new_plugin
from commensal.parts.setup.begin import begin_instance

from . import examples, recipes
from .workbench import Workbench, make_workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    return make_workbench(tmp_path_factory.mktemp("bench"))


def test_a_plugin_of_each_kind_and_each_example_installs_and_passes_its_own_tests(bench: Workbench) -> None:
    folders = [bench.folder / f"commensal-my-{kind}" for kind in KINDS]
    for kind, folder in zip(KINDS, folders, strict=True):
        new_plugin(f"my_{kind}", kind, folder)
        assert {file.name for file in folder.iterdir()} == {
            "pyproject.toml",
            "README.md",
            ".gitignore",
            f"commensal_my_{kind}",
            "tests",
        }
    names = " ".join([*(f"./{folder.name}" for folder in folders), *examples.copy_into(bench.folder)])
    bench.run(f"pip install --quiet --no-deps {names}")
    test_output = bench.run(f"pytest -W error -q -p no:cacheprovider {names}")
    assert " passed" in test_output
    assert "skipped" not in test_output

    bench.run(f"ruff check --no-cache {names}")
    bench.run(f"ruff check --no-cache --select E,F,W,I,B,UP,SIM,C4,PIE,PT,DTZ,S --ignore S101,S106 {names}")
    bench.run(f"ruff format --no-cache --check {names}")
    recipes.install_into(kitchen := bench.folder / "kitchen")
    bench.run(f"mypy --strict --explicit-package-bases {names} {kitchen.name}")

    begin_instance(bench.folder / "val", name="Val")
    plugins_output = bench.run("commensal plugins --instance val")
    assert all(f"my_{kind}" in plugins_output for kind in KINDS)
    assert "Then each enterprise switches it on" in bench.run("commensal plugin enable meal_card --instance val")
    assert "there is nothing to switch on" in bench.run("commensal plugin enable badge --instance val")
    bench.run("commensal check --instance val")
    bench.run(f"pip uninstall --quiet --yes {names.replace('./', '')}")
    assert "my_" not in bench.run("commensal plugins --instance val")


def test_each_example_stands_in_the_list() -> None:
    listed = (examples.HERE / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\((commensal-[\w-]+)/", listed)) == [folder.name for folder in examples.FOLDERS]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_says_everything_in_french(kind: str, tmp_path: Path) -> None:
    new_plugin("veg_box", kind, tmp_path / "new")
    french = (tmp_path / "new/commensal_veg_box/locale/fr/LC_MESSAGES/veg_box.po").read_text(encoding="utf-8")
    assert 'msgid "Veg box"' in french
    assert '"Language: fr\\n"' in french


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        ("Veg-Box", "Did you mean veg_box?"),
        ("9lives", "is not an id"),
        ("x" * 41, "is not an id"),
        ("../escape", "is not an id"),
        ("lambda", "is reserved"),
        ("enabled", "is reserved"),
        ("cash", "is installed already"),
        ("stock", "could not be told apart"),
        ("pickup_points", "could not be told apart"),
    ],
)
def test_an_id_that_cannot_be_is_refused_and_nothing_is_written(plugin: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        new_plugin(plugin, "payment", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_every_bundled_plugin_has_its_id_taken(tmp_path: Path) -> None:
    for plugin in plugin_entry_points():
        with pytest.raises(ValueError, match="installed already"):
            new_plugin(plugin, "page", tmp_path / "new")


def test_the_name_of_a_command_is_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(app, ["new-plugin", "sale", "--page"])
    assert refused.exit_code == 2
    assert "is reserved" in refused.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kinds", [[], ["--page", "--price"]])
def test_exactly_one_kind_is_named(kinds: list[str]) -> None:
    refused = CliRunner().invoke(app, ["new-plugin", "veg_box", *kinds])
    assert refused.exit_code == 2
    assert "say which kind" in refused.output


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    own_file = tmp_path / "README.md"
    own_file.write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="exists already, and nothing is ever overwritten"):
        new_plugin("veg_box", "report", tmp_path)
    assert own_file.read_text(encoding="utf-8") == "mine"
    assert list(tmp_path.iterdir()) == [own_file]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    files = new_plugin("veg_box", "report", tmp_path)
    assert Path("commensal_veg_box/__init__.py") in files
    assert all((tmp_path / file).is_file() for file in files)


def test_a_kind_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Did you mean payment\?"):
        new_plugin("veg_box", "payments", tmp_path / "new")
