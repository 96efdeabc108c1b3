"""The shell's commands, as an operator uses them on the first day: real processes, a real folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer
from sqlalchemy import select, update

import commensal
from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.base.errors import Invalid
from commensal.base.languages.catalogs import spaced
from commensal.enterprises.tables import enterprise
from commensal.instance import open_instance
from commensal.parts.cli import app
from commensal.parts.cli.commands import COMMANDS, _run_under, claimed_names
from commensal.parts.cli.named import moment
from commensal.people.people import person_by_email
from commensal.storage.jobs import enqueue
from commensal.storage.jobs.tables import job

from .shell import Shell

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMENSAL = Path(sys.executable).with_name("commensal")
PATIENCE = 60.0  # seconds for steps that take one; the machine may be busy

LIST = """\
producteur;référence;nom;catégorie;unités;type d'unité;nom de l'unité;prix;stock;tva;lot
Les Paniers du Val;PDT-1;Pommes de terre;pomme de terre;1;kg;;2,20;500;5,5;Pommes de terre
Les Paniers du Val;PDT-5;Pommes de terre;pomme de terre;5;kg;;9,50;;5,5;Pommes de terre
Les Paniers du Val;OEU-6;Œufs par 6;œuf;6;;pièce;2,40;40;5,5;
"""


@pytest.fixture
def run(tmp_path: Path, shell: Shell) -> Run:
    """Runs a command on the instance in the test's folder; `fails` expects a failure."""

    def command(*words: str, fails: bool = False, language: str = "en") -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "COLUMNS": "160", "LANGUAGE": language}
        result = shell.run(*words, "--instance", tmp_path / "val", env=env)
        assert (result.returncode != 0) == fails, result.stdout + result.stderr
        return result

    return command


INIT = (
    "init",
    "--name",
    "Les Paniers du Val",
    "--base-url",
    "http://127.0.0.1:8000",
    "--language",
    "fr",
    "--timezone",
    "Europe/Paris",
    "--sender",
    "bonjour@example.org",
)
NOBODY = 65534  # a user without rights
NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


USER = ("user", "marie@example.org", "--name", "Marie", "--operator", "--password", "un mot de passe long")


@pytest.fixture(scope="session")
def instance_with_operator(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance on its first day, to be copied."""
    folder = tmp_path_factory.mktemp("first-day") / "val"
    for words in (INIT, USER):
        result = shell.run(*words, "--instance", folder)
        assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def operated(instance_with_operator: Path, tmp_path: Path) -> None:
    """The test's folder has an instance with the operator Marie."""
    shutil.copytree(instance_with_operator, tmp_path / "val")


def test_an_operator_sells_on_the_first_day(run: Run, tmp_path: Path) -> None:
    run(*INIT)
    run(*USER)
    result_of_add = run(
        "enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--hub", "--producer"
    )
    assert "les-paniers-du-val" in result_of_add.stdout
    file = tmp_path / "liste.csv"
    file.write_text(LIST, encoding="utf-8")
    result = run("products", "import", str(file), "--enterprise", "les-paniers-du-val", "--dry-run")
    assert "would create 3" in result.stdout
    assert "created 3" in run("products", "import", str(file), "--enterprise", "les-paniers-du-val").stdout
    result_of_open = run(
        "sale",
        "open",
        "les-paniers-du-val",
        "--name",
        "Semaine 23",
        "--closes",
        "wednesday 20:00",
        "--begins",
        "jeudi 17:00",
        "--ends",
        "19:00",
    )
    session = result_of_open.stdout.split("/sales/")[1].split()[0]
    assert "3 items are on sale" in result_of_open.stdout
    assert session in run("sale", "list").stdout
    run("sale", "close", session)
    sales = run("sale", "list").stdout
    assert (session in sales, " over " in sales) == (True, True), "a closed sale is still listed"
    assert session in run("sale", "list", "--state", "over").stdout
    assert session not in run("sale", "list", "--state", "open").stdout
    assert "supplier" in run("sale", "distribution", session).stdout
    assert "sound" in run("check").stdout
    assert "pickup" in run("plugins").stdout


@pytest.mark.usefixtures("operated")
def test_a_log_in_address_becomes_no_public_contact(run: Run, tmp_path: Path) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--hub")
    run("enterprise", "add", "La Ferme", "--owner", "marie@example.org", "--producer", "--email", "ferme@example.org")
    with open_instance(tmp_path / "val") as instance, instance.store.read() as tx:
        contacts = {row["name"]: row["email"] for row in tx.all(select(enterprise.c.name, enterprise.c.email))}
    assert contacts == {"Les Paniers du Val": "", "La Ferme": "ferme@example.org"}


@pytest.mark.usefixtures("operated")
def test_a_hub_sets_how_guests_may_order(run: Run) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--hub")
    guests = ("enterprise", "guests", "les-paniers-du-val")

    def rules(text: str) -> dict[str, str]:
        return dict(line.split() for line in text.splitlines() if line.strip().startswith("--"))

    assert rules(run(*guests).stdout) == {
        "--guests": "link",
        "--largest": "€300.00",
        "--orders-of-mailbox": "3",
        "--orders-of-network": "10",
        "--confirm-minutes": "60",
        "--unpaid-hours": "0",
    }
    changed = rules(run(*guests, "--guests", "yes", "--largest", "150,50", "--unpaid-hours", "48").stdout)
    assert [changed[name] for name in ("--guests", "--largest", "--unpaid-hours")] == ["yes", "€150.50", "48"]
    assert rules(run(*guests).stdout) == changed, "it is stored"
    assert rules(run(*guests, "--largest", "none").stdout) == {**changed, "--largest": "none"}


@pytest.mark.usefixtures("operated")
def test_a_hub_sets_what_happens_at_its_cut_offs(run: Run) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--hub")
    closing = ("enterprise", "closing", "les-paniers-du-val")
    before = run(*closing).stdout
    assert all(text in before for text in ("at the cut-off", "newest first", "yes"))
    after = run(*closing, "--telling", "by hand", "--shortage", "pro rata", "--no-reminder").stdout
    assert all(text in after for text in ("by hand", "pro rata", "no"))
    assert run(*closing).stdout == after, "it is stored"
    assert "Choose one of these: at the cut-off, by hand." in run(*closing, "--telling", "later", fails=True).stderr


@pytest.mark.usefixtures("operated")
def test_a_rule_for_guests_that_is_wrong_is_named_by_its_option_and_changes_nothing(run: Run) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--hub")
    guests = ("enterprise", "guests", "les-paniers-du-val")
    message = run(*guests, "--guests", "maybe", "--confirm-minutes", "1", "--largest=-1", fails=True).stderr
    for option in ("--guests", "--confirm-minutes", "--largest"):
        assert option in message
    assert "--largest" in run(*guests, "--largest", "much", fails=True).stderr
    assert "--unpaid-hours" in run(*guests, "--guests", "yes", fails=True).stderr
    assert "--guests" in (policy := run(*guests, language="fr").stdout)
    assert "300,00" in policy
    assert "Heures pour payer" in " ".join(run(*guests, "--help", language="fr").stdout.replace("│", " ").split())


@pytest.mark.usefixtures("operated")
def test_a_sale_of_nothing_is_opened_by_nobody_who_does_not_say_so(run: Run) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--hub", "--producer")
    times = ("--closes", "wednesday 20:00", "--begins", "jeudi 17:00", "--ends", "19:00")
    result = run("sale", "open", "les-paniers-du-val", *times, fails=True)
    assert "may sell nothing of" in result.stderr
    assert "Vente" not in run("sale", "list").stdout
    assert "0 items are on sale" in run("sale", "open", "les-paniers-du-val", *times, "--empty").stdout


@pytest.mark.usefixtures("operated")
def test_an_export_imports_again_unchanged(run: Run, tmp_path: Path) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--producer")
    file = tmp_path / "liste.csv"
    file.write_text(LIST, encoding="utf-8")
    run("products", "import", str(file), "--enterprise", "les-paniers-du-val")
    for name in ("out.csv", "out.xlsx"):
        run("products", "export", str(tmp_path / name), "--enterprise", "les-paniers-du-val")
        result = run("products", "import", str(tmp_path / name), "--enterprise", "les-paniers-du-val")
        assert "created 0, changed 0, left 3" in result.stdout


@pytest.mark.usefixtures("operated")
def test_a_list_with_mistakes_names_them_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    run("enterprise", "add", "Les Paniers du Val", "--owner", "marie@example.org", "--producer")
    file = tmp_path / "liste.csv"
    file.write_text(LIST.replace("2,40", "deux euros"), encoding="utf-8")
    command = ("products", "import", str(file), "--enterprise", "les-paniers-du-val")
    assert "row 4, prix: 'deux euros' is not a number" in run(*command, fails=True).stderr
    output = run(*command, "--dry-run", fails=True).stdout
    assert "row 4, prix: 'deux euros' is not a number" in output
    assert "would create 2" in output
    french = spaced("fr", "ligne 4, prix: « deux euros » n’est pas un nombre")
    assert french in run(*command, fails=True, language="fr").stderr
    assert french in run(*command, "--dry-run", fails=True, language="fr").stdout


@pytest.mark.usefixtures("operated")
def test_a_second_init_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    before = (tmp_path / "val" / "instance.toml").read_text()
    result = run(
        "init",
        "--name",
        "Other",
        "--base-url",
        "http://x",
        "--language",
        "fr",
        "--timezone",
        "Europe/Paris",
        "--sender",
        "a@example.org",
        fails=True,
    )
    assert "exists already" in result.stderr
    assert (tmp_path / "val" / "instance.toml").read_text() == before
    assert (tmp_path / "val" / "instance.toml").stat().st_mode & 0o077 == 0
    assert (tmp_path / "val" / "commensal.db").stat().st_mode & 0o077 == 0


def test_an_init_that_cannot_work_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    result = run(
        "init",
        "--name",
        "x",
        "--base-url",
        "http://x",
        "--language",
        "fr",
        "--timezone",
        "Nowhere",
        "--sender",
        "a@example.org",
        fails=True,
    )
    assert "not an IANA time zone" in result.stderr
    assert not (tmp_path / "val").exists()
    result = run(*INIT, "--database", NOWHERE, "--backups", str(tmp_path / "disk" / "val"), fails=True)
    assert "Is the server running" in result.stderr
    assert not (tmp_path / "val").exists()
    assert not (tmp_path / "disk").exists()


def test_an_init_into_a_folder_with_other_files_removes_only_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "notes.txt").write_text("mine")
    run(*INIT, "--database", NOWHERE, fails=True)
    assert [path.name for path in (tmp_path / "val").iterdir()] == ["notes.txt"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_a_command_that_root_types_runs_as_the_owner_of_the_folder(shell: Shell) -> None:
    """Otherwise the service could not read its files. If the owner cannot read the program, it says so."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        val = Path(place, "val")
        assert shell.run(*INIT, "--instance", val).returncode == 0
        for path in (val.parent, val, *val.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        read_program = ["cat", os.__file__, commensal.__file__]
        readable = (
            subprocess.run(read_program, capture_output=True, user=NOBODY, group=NOBODY, check=False).returncode == 0
        )
        result = shell.run("backup", "--instance", val)
        assert (result.returncode == 0) == readable, result.stdout + result.stderr
        if readable:
            assert {path.stat().st_uid for path in val.rglob("*")} == {NOBODY}
            assert list((val / "backups").glob("*.zip"))
        else:
            assert "who cannot read" in result.stderr
            assert not (val / "backups").exists()


@pytest.mark.bundled
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_root_names_files_where_only_root_may_read_and_write(
    shell: Shell, instance_with_operator: Path, tmp_path: Path
) -> None:
    """They are root's own, nothing is left beside them, and no link of the instance's user is followed."""
    if subprocess.run(
        ["cat", commensal.__file__], capture_output=True, user=NOBODY, group=NOBODY, check=False
    ).returncode:
        pytest.skip("here only root can read the program")
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        val, own = Path(place, "val"), tmp_path / "own"
        shutil.copytree(instance_with_operator, val)
        own.mkdir(mode=0o700)

        def run(*words: object) -> None:
            for path in (val.parent, val, *val.rglob("*")):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
            result = shell.run(*words, "--instance", val)
            assert result.returncode == 0, result.stdout + result.stderr
            assert {path.lstat().st_uid for path in val.rglob("*")} == {NOBODY}

        run("enterprise", "add", "Les Paniers", "--owner", "marie@example.org", "--hub", "--producer")
        run("export", own / "val.zip")
        run("report", "les-paniers", "sales:turnover", "--out", own / "report.csv")
        run("products", "export", own / "products.csv", "--enterprise", "les-paniers")
        written = {path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in own.iterdir()}
        assert written == {"val.zip": (0, 0o600), "report.csv": (0, 0o600), "products.csv": (0, 0o644)}
        for name in ("report.csv", ".report.csv.part", "report.csv.part"):
            (val / name).symlink_to(own / "report.csv")
        before = (own / "report.csv").read_bytes()
        run("report", "les-paniers", "sales:turnover", "--param", "by=day", "--out", val / "report.csv")
        assert not (val / "report.csv").is_symlink()
        (own / "report.csv").chmod(0o640)
        run("report", "les-paniers", "sales:turnover", "--out", own / "report.csv")
        assert (own / "report.csv").stat().st_mode & 0o777 == 0o640, "as root has set it"
        assert (own / "report.csv").read_bytes() == before
        arrived = Path(place, "arrived")
        arrived.mkdir()
        os.chown(arrived, NOBODY, NOBODY)
        assert shell.run("import", own / "val.zip", "--instance", arrived).returncode == 0
        assert {path.stat().st_uid for path in arrived.rglob("*")} == {NOBODY}


_COMMAND_OF_ROOT = """
import os, sys
from pathlib import Path
from commensal import open_file_of_caller
from commensal.parts.cli.commands import _run_under

folder, *named = map(Path, sys.argv[1:-1])

def command(instance, files):
    print(os.getresuid(), os.getresgid(), os.getgroups())
    with open_file_of_caller(Path(sys.argv[-1])) as stream:
        print(stream.read().decode())

_run_under("anything", command)(instance=folder, files=named)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_what_an_instance_makes_a_command_of_root_do_cannot_be_done_as_root(tmp_path: Path) -> None:
    """Its templates run in a process that cannot become root again. Only what the command line names is opened with the
    rights of root, unless the instance's user could have laid a link there."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    for file in (mine, other):
        file.write_text(file.name)
        file.chmod(0o600)
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chown(place, NOBODY, NOBODY)
        link = Path(place, "link")
        link.symlink_to(mine)

        def read(*words: Path) -> tuple[str, str]:
            """What a command prints that names all the words but the last, which it reads; and the error's last line"""
            line: list[str | Path] = [sys.executable, "-c", _COMMAND_OF_ROOT, place, *words]
            result = subprocess.run(line, capture_output=True, text=True, check=False)
            return result.stdout, result.stderr.strip().rpartition("\n")[2]

        nobody = f"({NOBODY}, {NOBODY}, {NOBODY})"
        ids = f"{nobody} {nobody} [{NOBODY}]\n"
        assert read(mine, mine) == (f"{ids}mine\n", "")
        for words in ([mine], [mine, other], [link, link], [link, mine]):
            out, error = read(*words)
            assert out == ids, words
            assert "root runs this as nobody" in error or "Permission denied" in error


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_a_command_that_is_killed_leaves_no_unfinished_file_of_root(tmp_path: Path) -> None:
    command = """
import os, sys
from pathlib import Path
from commensal import file_of_caller
from commensal.parts.cli.commands import _run_under

def command(instance, file):
    with file_of_caller(file):
        os.kill(os.getpid(), 9)

_run_under("anything", command)(instance=Path(sys.argv[1]), file=Path(sys.argv[2]))
"""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chown(place, NOBODY, NOBODY)
        line = [sys.executable, "-c", command, place, str(tmp_path / "list.csv")]
        # Its output is at its end once the process of root has ended, too.
        assert subprocess.run(line, stdout=subprocess.PIPE, check=False).returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("operated")
def test_a_program_that_reads_a_list_gets_every_cell_whole(run: Run) -> None:
    name = "Le groupement d’achat des habitantes et habitants du [haut] de la vallée et de ses environs"
    run("enterprise", "add", name, "--owner", "marie@example.org", "--hub")
    (line,) = [text_line for text_line in run("enterprise", "list").stdout.splitlines() if "groupement" in text_line]
    assert name in line
    assert len(line.split()[-1]) == 36, "the id"
    assert "…" not in run("plugins").stdout


def test_the_program_says_its_version(shell: Shell) -> None:
    assert shell.run("--version").stdout == f"commensal {version('commensal')}\n"


@pytest.mark.bundled
def test_a_plugin_whose_library_is_not_installed_is_left_out_and_said(tmp_path: Path) -> None:
    """As after `pip install commensal` without extras."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['stripe'] = None\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [str(COMMENSAL), *INIT, "--instance", str(tmp_path / "val")]
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "The plugin stripe is left out: ImportError: Stripe's library is not installed" in result.stdout
    enabled = tomllib.loads((tmp_path / "val" / "instance.toml").read_text())["plugins"]["enabled"]
    assert "stripe" not in enabled
    assert "shop" in enabled


@pytest.mark.usefixtures("operated")
def test_a_database_that_never_was_is_made_by_migrate(run: Run, tmp_path: Path) -> None:
    for name in ("commensal.db", "upgrade.json"):
        (tmp_path / "val" / name).unlink()
    assert "commensal migrate" in run("check", fails=True).stderr
    run("migrate")
    run("check")


@pytest.mark.usefixtures("operated")
@pytest.mark.parametrize("command", ["check", "serve", "work", "migrate", "upgrade", "backup", "plugins", "jobs"])
def test_a_database_that_was_lost_is_told_by_what_is_left_beside_it(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "val" / "keys").mkdir(exist_ok=True)
    (tmp_path / "val" / "keys" / "root.key").write_text("a key")
    (tmp_path / "val" / "commensal.db").rename(tmp_path / "elsewhere")
    result = run(command, fails=True)
    assert "there is more of this instance: keys/, upgrade.json" in result.stderr
    assert "commensal restore" in result.stderr
    assert "migrate" not in result.stderr
    assert not (tmp_path / "val" / "commensal.db").exists()


@pytest.mark.usefixtures("operated")
@pytest.mark.bundled
def test_a_job_that_keeps_failing_is_shown_and_tried_again(run: Run, tmp_path: Path) -> None:
    assert run("jobs").stdout == "No job has failed.\n"
    with open_instance(tmp_path / "val") as instance, instance.store.write() as tx:
        job_id = enqueue(tx, "nobody knows", {})
        tx.execute(update(job).values(state="parked", attempts=6, error="KeyError: 'nobody knows'"))
    output = run("jobs").stdout
    assert job_id in output
    assert "KeyError" in output
    assert "1 jobs are parked" in run("check").stdout
    assert "no failed job x" in run("jobs", "--retry", "x", fails=True).stderr
    run("jobs", "--retry", job_id)
    assert "parked" not in run("check").stdout


@pytest.mark.usefixtures("operated")
def test_a_token_opens_the_api_of_a_served_instance(run: Run, tmp_path: Path) -> None:
    token = run("token", "marie@example.org", "--name", "test", "--scope", "self").stdout.strip()
    server = subprocess.Popen(
        [COMMENSAL, "serve", "--instance", tmp_path / "val", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        greeting = re.fullmatch(r"Serving on (http://127\.0\.0\.1:\d+)\n", server.stdout.readline())
        assert greeting is not None
        headers = {"Authorization": f"Bearer {token}"}
        response = httpx2.get(f"{greeting[1]}/api/me", headers=headers, timeout=PATIENCE)
        assert response.json()["email"] == "marie@example.org"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=PATIENCE)
    assert server.returncode == 0


@pytest.mark.long  # it fills a region
def test_the_demo_takes_a_free_port_instead_of_a_taken_one_and_leaves_nothing_behind(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a run in the background ignores SIGINT, and its children inherit that
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]
        command = [str(COMMENSAL), "demo", "--alone", "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as server:
            try:
                assert server.stdout is not None
                greeting = ""
                while "Stop with Ctrl-C" not in greeting:
                    line = server.stdout.readline()
                    assert line, greeting
                    greeting += line
                assert f"Port {port} is taken" in greeting.splitlines()[0], "before anything is filled"
                url = greeting.split("demo region at ")[1].split()[0]
                assert str(port) not in url
                assert httpx2.get(url, timeout=PATIENCE).status_code == 200
                assert "demo-commensal" in greeting
                subprocess.run(["pkill", "-P", str(server.pid)], check=True)  # as the demo proposes
                while "was stopped" not in line:
                    line = server.stdout.readline()
                    assert line, "the demo has ended with an instance that somebody stopped"
                server.send_signal(signal.SIGINT)
                server.communicate(timeout=PATIENCE)
            finally:
                server.kill()
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_ended_while_it_is_filled_leaves_nothing_behind(tmp_path: Path) -> None:
    command, env = [str(COMMENSAL), "demo", "--alone", "--port", "0"], {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as demo:
        assert demo.stdout is not None
        while "Filling the demo region" not in (line := demo.stdout.readline()):
            assert line, "the demo has ended by itself"
        demo.terminate()
        demo.communicate(timeout=PATIENCE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-06 20:00", "2026-06-06T18:00:00+00:00"),
        ("thursday 20:00", "2026-06-04T18:00:00+00:00"),
        ("jeudi 11:00", "2026-06-11T09:00:00+00:00"),  # it is noon, so this week's has passed
        ("Vendredi 07:30", "2026-06-05T05:30:00+00:00"),
        ("19:00", "2026-06-04T17:00:00+00:00"),
        ("09:00", "2026-06-05T07:00:00+00:00"),
    ],
)
def test_moments_are_read_as_people_say_them(text: str, expected: str, clock: ManualClock) -> None:
    assert moment(text, "Europe/Paris", "--closes", after=clock.now()).astimezone(UTC).isoformat() == expected


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01 10:00", "thursday", "someday 10:00", "thursday 25:00"])
def test_what_is_no_moment_is_refused(text: str, clock: ManualClock) -> None:
    with pytest.raises(Invalid, match="--closes"):
        moment(text, "Europe/Paris", "--closes", after=clock.now())


@pytest.mark.usefixtures("operated")
def test_who_is_given_no_name_has_that_of_the_address(run: Run, tmp_path: Path) -> None:
    names = {"ana@example.org": "Ana", "marie.le-goff@example.org": "Marie Le Goff", "www.x@example.org": "Www X"}
    for email in names:
        run("user", email, "--password", "un mot de passe long")
    run("user", "ana@example.org", "--password", "encore un mot de passe")  # a new password, and no other name
    with open_instance(tmp_path / "val") as instance, instance.store.read() as tx:
        assert {email: person_by_email(tx, email).name for email in names} == names


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", {})
    for name, subcommand in below.items():
        yield from _leaves(subcommand, f"{path} {name}")
    if not below:
        yield path, command


def test_all_commands_print_changes_after_the_commit() -> None:
    """Those of the core and of every plugin: each runs in what holds its text back inside a write transaction."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="commensal")
    names = [*COMMANDS, *claimed_names(), *plugin_entry_points()]
    leaves = dict(
        leaf
        for name in names
        if (command := group.get_command(context, name)) is not None
        for leaf in _leaves(command, name)
    )
    assert len(leaves) > 100
    holding = _run_under("", print).__code__
    assert [path for path, command in leaves.items() if command.callback.__code__ is not holding] == []
