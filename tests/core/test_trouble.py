"""An operator whose database or disk has a problem reads a sentence, not a traceback."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from commensal.base.languages.catalogs import spaced
from commensal.base.logs import configure_logs
from commensal.parts.cli import main
from commensal.parts.cli.output import explain_error
from commensal.parts.setup.begin import begin_instance


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Resets the logs after the test: `main` writes them to this test's stderr."""
    yield
    configure_logs()


@pytest.fixture
def val(tmp_path: Path) -> Path:
    begin_instance(tmp_path / "val", name="Val", plugins=())
    return tmp_path / "val"


def error_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    monkeypatch.setattr(sys, "argv", ["commensal", *map(str, words)])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 1
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("command", [("check",), ("serve", "--port", "0"), ("jobs",)])
def test_a_damaged_database_is_told_with_what_to_do(
    val: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (val / "commensal.db").write_bytes(b"This is not a database." * 1000)
    message = error_text(monkeypatch, capsys, *command, "--instance", val)
    assert message == (
        "Unavailable: The database cannot be used: file is not a database. The file is damaged: keep it, and restore "
        "the newest backup into a new folder (`commensal restore`)."
    )


def test_a_folder_that_cannot_be_made_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "--name",
        "x",
        "--base-url",
        "http://127.0.0.1",
        "--language",
        "fr",
        "--timezone",
        "UTC",
        "--sender",
        "a@b.c",
    ]
    message = error_text(monkeypatch, capsys, "init", "--instance", "/proc/val", *words)
    assert message == "FileNotFoundError: /proc/val: No such file or directory."


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (sqlite3.OperationalError("attempt to write a readonly database"), "Run this as the user who owns the folder"),
        (sqlite3.OperationalError("database or disk is full"), "Make room on its disk."),
        (OperationalError("", None, Exception("connection failed: refused\nIs it?")), "Is the server running"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/mnt/x"),
            "/mnt/x: No space left on device. Make room on its disk.",
        ),
        (sqlite3.OperationalError("disk I/O error"), "Its disk fails or has become read-only"),
        (OSError(errno.EROFS, "Read-only file system", "/mnt/x"), "/mnt/x: Read-only file system. Its disk fails or"),
        (OSError(errno.EACCES, "Permission denied", "/mnt/x"), "Permission denied. Run this as the user who owns"),
    ],
)
def test_what_is_refused_comes_with_advice(error: Exception, advice: str) -> None:
    assert advice in explain_error(error)


def test_the_advice_is_french_in_a_french_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    message = explain_error(sqlite3.OperationalError("database or disk is full"))
    assert message == spaced(
        "fr", "La base de données est inutilisable : database or disk is full. Faites de la place sur son disque."
    )
    message = explain_error(OSError(errno.EACCES, "Permission denied", "/mnt/x"))
    assert message.startswith("/mnt/x: Permission denied. Lancez ceci avec le compte à qui appartient le dossier")


def test_a_mistake_of_the_code_keeps_its_traceback() -> None:
    for error in (KeyError("x"), sqlite3.OperationalError("no such column: x"), ValueError("x")):
        assert explain_error(error) == ""
