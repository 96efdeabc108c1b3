"""A new version takes the place of the one that runs, and the one before takes it back."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace as replace_field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commensal.base.acting import shell_command
from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError
from commensal.instance import Instance
from commensal.instance.instance import UpgradeRecord, read_upgrade_record, write_upgrade_record
from commensal.parts.accounts.operators import add_operator
from commensal.parts.hosting import UNITS
from commensal.parts.upgrading.bringing_back import changes_since
from commensal.parts.upgrading.replacing import NeedsPerson, Site, go_back, refuse_unattended, replace
from commensal.parts.upgrading.services import Services, how_to_start
from commensal.parts.upgrading.versions import Program, Wheel

from .environments import Beside
from .versions import ADDED, INSTALL, NEW, OLD, Machine, build_wheels

NOBODY = 65_534


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.systemctl("stop")


def tree(folder: Path) -> dict[Path, bytes]:
    """The files that an installation has written, but for the database, logs and e-mails."""
    files = (folder / "etc").rglob("*"), (folder / "usr").rglob("*"), (folder / "var").rglob("*.toml")
    return {file: file.read_bytes() for group in files for file in group if file.is_file()}


def revision(machine: Machine) -> str:
    with closing(sqlite3.connect(machine.instance / "commensal.db")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@pytest.mark.long
def test_an_instance_is_installed_and_upgraded_in_seconds_and_goes_back_while_nobody_has_ordered(
    machine: Machine,
) -> None:
    """By install.sh, in two real versions, with environments of their own. The upgrade is killed once the services have
    stopped, and goes on."""
    old, new = build_wheels(machine.folder)
    installed = machine.install(old)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert "marie@val.example sets a password here, once, within" in installed.stdout
    before = tree(machine.folder)
    again = machine.install(old)
    assert again.returncode == 0, again.stdout + again.stderr
    assert tree(machine.folder) == before
    here, head = ("--instance", machine.instance), revision(machine)

    killed = machine.run("upgrade", new, *here, killed_at="stop")
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    assert (machine.program.current, revision(machine)) == (OLD, head)
    upgraded = machine.run("upgrade", new, *here)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert f"Commensal {NEW} serves. Nobody was served for" in upgraded.stdout
    assert (machine.program.current, revision(machine)) == (NEW, ADDED)

    assert machine.run("user", "ada@example.org", "--password", "a long password", *here).returncode == 0
    refused = machine.run("upgrade", "--back", *here)
    assert refused.returncode == 1
    assert "changes by people. Going back loses them" in refused.stderr
    assert (machine.program.current, revision(machine)) == (NEW, ADDED)

    back = machine.run("upgrade", "--back", "--losing-changes", *here)
    assert back.returncode == 0, back.stdout + back.stderr
    assert f"Commensal {OLD} serves again." in back.stdout
    assert (machine.program.current, revision(machine)) == (OLD, head)
    record = read_upgrade_record(machine.instance)
    assert record is not None
    assert record.version == OLD
    check = machine.run("check", *here)
    assert check.returncode == 0, check.stdout + check.stderr
    assert machine.memory < 300, "with a system and a proxy, it shares the 1,024 MB that the guide asks for"


@pytest.mark.skipif(shutil.which("shellcheck") is None and "CI" not in os.environ, reason="there is no shellcheck")
def test_shellcheck_finds_nothing_in_the_installation() -> None:
    subprocess.run(["shellcheck", INSTALL], check=True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("no-such.whl", "val", "val.example", "a@b.example"), "there is no file no-such.whl"),
        (("README.md", "val", "val.example", "a@b.example"), "README.md is not a wheel of Commensal"),
        (("commensal-1.0-py3-none-any.whl", "Le Val", "val.example", "a@b.example"), "'Le Val' may have small letters"),
        (("commensal-1.0-py3-none-any.whl", "val", "val.example", "marie"), "'marie' is not an e-mail address"),
    ],
)
def test_the_installation_refuses_mistakes_before_anything_is_done(
    words: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "README.md").touch()
    (tmp_path / "commensal-1.0-py3-none-any.whl").touch()
    command = ["sh", str(INSTALL), *words]
    result = subprocess.run(command, cwd=tmp_path, env=machine.environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert f"Nothing was installed: {reason}" in result.stderr.replace("the name ", "")
    assert not (tmp_path / "opt").exists()


def test_a_python_that_only_root_may_run_is_refused_and_leaves_no_environment(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "commensal-1.0-py3-none-any.whl").touch()
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" != -m ] || { mkdir -p "$3/bin"; ln -s /nowhere "$3/bin/python"; }\n')
    python.chmod(0o755)
    result = subprocess.run(
        ["sh", str(INSTALL), "commensal-1.0-py3-none-any.whl", "val", "val.example", "a@b.example"],
        cwd=tmp_path,
        env=machine.environment | {"COMMENSAL_PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (
        1,
        f"Nothing was installed: the user commensal may not run {python}.\n",
    )
    assert list((tmp_path / "opt/commensal/versions").iterdir()) == []


def wheel(folder: Path, version: str) -> Path:
    file = folder / f"commensal-{version}-py3-none-any.whl"
    file.write_bytes(b"anything")
    return file


def site(folder: Path, current: str) -> Site:
    program = Program(folder / "program")
    program.environment(current).mkdir(parents=True)
    program.use(current)
    return Site(program, [], Services(()), ManualClock(datetime(2026, 6, 4, tzinfo=UTC)))


def test_one_link_says_which_version_is_in_use(tmp_path: Path) -> None:
    program = Program(tmp_path)
    assert program.current == ""
    for version in ("1.0", "1.1", "1.0"):
        program.use(version)
        assert program.current == version
        assert program.link.parent.parent.resolve() == program.environment(version)
    assert not program.has("1.0"), "its environment was never complete"


def test_the_record_of_an_instance_leads_to_no_program_of_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has the account of the service writes the record; root starts what the link leads to."""
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text("#!/bin/sh\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{systemctl.parent}:{os.environ['PATH']}")
    here = replace_field(site(tmp_path, "1.1"), instances=[tmp_path / "val"])
    planted = tmp_path / "val/planted"
    planted.mkdir(parents=True)
    (planted / ".complete").touch()
    before = os.path.relpath(planted, here.program.environment(""))
    write_upgrade_record(tmp_path / "val", UpgradeRecord(version="1.1", before=before, at=datetime.now(UTC)))
    with pytest.raises(SettingsError, match=r"There is no way back from 1\.1"):
        go_back(here, losing=True, on_step=lambda step, text: None)
    assert here.program.current == "1.1"


_PLANTED = """
import os
from contextlib import suppress
for become in (os.setuid, os.seteuid):
    with suppress(PermissionError):
        become(0)
if os.geteuid() == 0:
    open({file!r}, "w").close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
@pytest.mark.long
def test_no_plugin_of_an_instance_becomes_root_while_root_upgrades_it_and_goes_back() -> None:
    """Which ones are loaded, and what they do, the settings of the instance say, which are its owner's."""
    if subprocess.run(["cat", __file__], capture_output=True, user=NOBODY, group=NOBODY, check=False).returncode:
        pytest.skip("here only root can read the program")
    with tempfile.TemporaryDirectory(dir="/tmp") as place, closing(Beside(Path(place))) as beside:
        beside.folder.chmod(0o755)
        new = [beside.add_version(version, number) for number, version in enumerate((OLD, NEW), 1)][-1]
        beside.begin(OLD)
        beside.systemctl("stop")
        for file in [beside.instance, *beside.instance.rglob("*")]:
            os.chown(file, NOBODY, NOBODY)
        os.chown(beside.folder / "backups", NOBODY, NOBODY)
        planted = beside.folder / "planted"
        for package in beside.program.folder.glob("versions/*/site/commensal_weekly/__init__.py"):
            with package.open("a") as source:
                source.write(_PLANTED.format(file=str(planted)))
        upgraded = beside.run("upgrade", new)
        assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
        assert (beside.program.current, beside.revisions()) == (NEW, 2)
        killed = beside.run("upgrade", "--back", failpoint="returning.restored:1")
        assert not planted.exists()
        assert "A process of the owner of" in killed.stderr
        back = beside.run("upgrade", "--back")
        assert back.returncode == 0, back.stdout + back.stderr
        assert (beside.program.current, beside.revisions()) == (OLD, 1)
        assert not planted.exists()
        assert {file.stat().st_uid for file in beside.instance.rglob("*")} == {NOBODY}


def test_only_a_whole_wheel_of_commensal_is_installed(tmp_path: Path) -> None:
    new = wheel(tmp_path, "1.1")
    assert str(Wheel.find(str(new), tmp_path).version) == "1.1"
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.whl\n")
    with pytest.raises(SettingsError, match=r"SHA256SUMS has no line for commensal-1\.1-"):
        Wheel.of(new)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {new.name}\n")
    with pytest.raises(SettingsError, match=r"is not what .*SHA256SUMS says it is"):
        Wheel.of(new)
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(b'anything').hexdigest()}  {new.name}\n")
    assert Wheel.of(new).file == new
    for name in ("other-1.1-py3-none-any.whl", "commensal.whl", "commensal-2.0-py3-none-any.whl"):
        with pytest.raises(SettingsError, match="is not a wheel of Commensal"):
            Wheel.find(str(tmp_path / name), tmp_path)
    with pytest.raises(SettingsError, match="name a wheel, a version"):
        Wheel.find("--index-url=x", tmp_path)


def test_an_older_version_takes_no_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"1\.0 is older than 1\.1, which is in use"):
        replace(site(tmp_path, "1.1"), Wheel.of(wheel(tmp_path, "1.0")), on_step=lambda step, text: None)


def test_unattended_only_mends_are_installed(tmp_path: Path) -> None:
    here = site(tmp_path, "1.1.0")
    refuse_unattended(here, Wheel.of(wheel(tmp_path, "1.1.3")))
    for version in ("1.2", "2.0"):
        with pytest.raises(NeedsPerson, match="read its changes"):
            refuse_unattended(here, Wheel.of(wheel(tmp_path, version)))


def test_a_version_that_is_not_beside_others_is_not_replaced() -> None:
    with pytest.raises(SettingsError, match="not beside other versions"):
        Program.of_this_process()


def test_what_people_did_since_an_upgrade_is_counted(instance: Instance, clock: ManualClock) -> None:
    store, upgraded_at = instance.store, clock.now()
    with store.read() as tx:
        assert changes_since(tx, upgraded_at) == []
    clock.advance(minutes=1)
    with shell_command("commensal user"):
        add_operator(store, email="ada@example.org", name="Ada", password="a long password", language="en")
    with store.read() as tx:
        assert [str(loss) for loss in changes_since(tx, upgraded_at)] == ["1 changes by people"]
        assert changes_since(tx, clock.now()) == []


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ("commensal@val commensal-work@val", "`systemctl restart commensal@val commensal-work@val`"),
        ("commensal commensal-work", "`systemctl restart commensal commensal-work`"),
        ("", "`commensal serve` and `commensal work`, or their containers"),
    ],
)
def test_an_operator_is_told_how_this_instance_is_started(
    known: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the units of install.sh, by those of the guide, or where systemd knows none."""
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\n[ "$*" = "cat {known}" ]\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert how_to_start(tmp_path / "val", tuple(UNITS)) == line
