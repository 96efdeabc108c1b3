"""``commensal report``: the lists of the morning from the shell, written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from commensal.base.errors import Invalid, NotFound
from commensal.instance import open_instance
from commensal.parts.cli import app
from commensal.parts.setup.begin import begin_instance
from commensal.testing.placed import a_placed_order, a_shop

from .reporting import PLUGINS, use


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An instance with a shop that has sold something."""
    begin_instance(tmp_path / "val", name="Val", plugins=PLUGINS)
    with open_instance(tmp_path / "val") as instance, instance.store.write() as tx:
        a_shop(tx, name="Les Paniers", slug="les-paniers")
        use(tx, "shop")
        a_placed_order(tx, total=1250)
    return tmp_path / "val"


def run(folder: Path, *words: str) -> str:
    return CliRunner().invoke(app, ["report", *words, "--instance", str(folder)], catch_exceptions=False).stdout


def test_reports_are_listed_in_the_language_of_the_shop(folder: Path) -> None:
    output = run(folder, "les-paniers")
    assert "sales:customers" in output
    assert "Feuille d’émargement" in output


@pytest.mark.parametrize(("extension", "first_bytes"), [("csv", b"\xef\xbb\xbf"), ("pdf", b"%PDF"), ("xlsx", b"PK")])
def test_the_ending_of_the_file_names_the_format(
    folder: Path, tmp_path: Path, extension: str, first_bytes: bytes
) -> None:
    file = tmp_path / f"list.{extension}"
    assert f"list.{extension}" in run(folder, "shop", "sales:turnover", "--out", str(file), "--param", "by=month")
    assert file.read_bytes().startswith(first_bytes)


def test_what_is_wrong_is_said_and_leaves_no_file(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    for words, error, message in (
        (("shop", "sales:nothing"), NotFound, "sales:nothing"),
        (("shop", "sales:turnover", "--param", "by=moon"), Invalid, "month, day"),
        (("shop", "sales:turnover", "--param", "moon"), Invalid, "name=value"),
        (("shop", "sales:turnover", "--format", "doc"), Invalid, "csv, xlsx"),
    ):
        with pytest.raises(error, match=message):
            run(folder, *words, "--out", str(file))
    assert [path.name for path in tmp_path.iterdir()] == ["val"]
