"""On a whole Debian of its own, with systemd, apt and pip: the line of the README, and the container image.

`make test-debian` runs this, for some minutes and as root: it needs mmdebstrap, systemd-container and buildah of
Debian, and the network. The base system is made once, in the folder that COMMENSAL_TEST_DEBIAN names.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.ports import free_port

from commensal.instance.instance import UpgradeRecord, write_upgrade_record
from commensal.parts.hosting import write_text

from .composing import steps_of_setup
from .processes import wait_until
from .released import FIRST, unpack
from .versions import INSTALL, NEW, OLD, ROOT, build_wheels

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif("COMMENSAL_TEST_DEBIAN" not in os.environ, reason="`make test-debian` runs it"),
]
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # of a network whose certificates only this machine knows
FIRST_SETTINGS = {
    "COMMENSAL_NAME": "Val",
    "COMMENSAL_BASE_URL": "https://val.example",
    "COMMENSAL_LANGUAGE": "fr",
    "COMMENSAL_TIMEZONE": "Europe/Paris",
    "COMMENSAL_MAIL__SENDER": "val@example.org",
    "OPERATOR": "marie@val.example",
    "COMMENSAL_BACKUPS__FOLDER": "/var/lib/commensal/backups",
}
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates"

# What an operator types on the new machine. *.localhost: Caddy makes such certificates itself, and asks nobody.
SCRIPT = f"""
set -ex
cd /root
echo 127.0.0.1 localhost val.localhost hub.localhost >>/etc/hosts
health() {{ python3 -c '
import json, ssl, urllib.request
context = ssl._create_unverified_context()
print(json.load(urllib.request.urlopen("https://val.localhost/-/health", context=context))["status"])'; }}
each_is_up() {{ for unit in commensal@val commensal-work@val commensal@hub commensal-work@hub caddy; do
    systemctl is-active $unit || return 1
    [ "$(systemctl show --property NRestarts --value $unit)" = 0 ] || {{ journalctl --no-pager -u $unit; return 1; }}
done; }}
time sh install.sh commensal-{OLD}-py3-none-any.whl val val.localhost marie@example.org
sh install.sh commensal-{OLD}-py3-none-any.whl val val.localhost marie@example.org
sh install.sh commensal-{OLD}-py3-none-any.whl hub hub.localhost paul@example.org
sleep 30 # a worker that is killed in its first round is started anew
each_is_up
[ "$(health)" = ok ]
[ "$(stat -c %U /var/lib/commensal/val/commensal.db)" = commensal ]
commensal backup --instance /var/lib/commensal/val
commensal check --instance /var/lib/commensal/val
commensal upgrade commensal-{NEW}-py3-none-any.whl --instance /var/lib/commensal/val --also /var/lib/commensal/hub
[ "$(readlink /opt/commensal/current)" = versions/{NEW} ]
[ "$(health)" = ok ]
each_is_up
systemctl kill --signal=KILL --kill-whom=main commensal@val
until [ "$(health)" = ok ]; do sleep 1; done
commensal upgrade --back --losing-changes --instance /var/lib/commensal/val --also /var/lib/commensal/hub
[ "$(readlink /opt/commensal/current)" = versions/{OLD} ]
[ "$(health)" = ok ]
commensal check --instance /var/lib/commensal/val
each_is_up
systemd-analyze security --no-pager commensal@val | tail -1
du -sm /opt/commensal /var/lib/commensal
echo installed upgraded and back
"""
UNIT = """
[Service]
Type=oneshot
ExecStart=/bin/bash /root/script.sh
ExecStopPost=/bin/systemctl poweroff --no-block
StandardOutput=file:/root/log
StandardError=inherit
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="module")
def base() -> Path:
    """A Debian 13 as a tar file."""
    file = Path(os.environ["COMMENSAL_TEST_DEBIAN"]).absolute() / "debian.tar"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name("unfinished.tar")
        run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "trixie", unfinished)
        unfinished.replace(file)
    return file


def run(*command: object, cwd: Path | None = None, seconds: int = 1200) -> str:
    result = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        timeout=seconds,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert result.returncode == 0, result.stdout[-5000:]
    return result.stdout


def test_one_line_installs_an_instance_that_systemd_serves(base: Path, tmp_path: Path) -> None:
    """And once more, and another instance; then it is upgraded, killed, and goes back."""
    machine = tmp_path / "machine"
    machine.mkdir()
    run("tar", "--extract", "--file", base, "--directory", machine)
    shutil.copy(CERTIFICATES, machine / CERTIFICATES.relative_to("/"))
    for file in (INSTALL, *build_wheels(tmp_path, pinned=True)):
        shutil.copy(file, machine / "root")
    (machine / "root/script.sh").write_text(SCRIPT)
    units = machine / "etc/systemd/system"
    (units / "script.service").write_text(UNIT)
    (units / "multi-user.target.wants/script.service").symlink_to("../script.service")
    try:
        run("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--directory", machine)
        log = (machine / "root/log").read_text()
        assert log.endswith("installed upgraded and back\n"), log[-5000:]
        print(log)
        assert "marie@example.org sets a password here, once, within" in log
        assert log.count("Nobody was served for") == 2
    finally:
        shutil.rmtree(machine)


class Buildah:
    """Builds and runs images, without a daemon and without namespaces, in a storage of its own."""

    def __init__(self, folder: Path) -> None:
        places = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        self._begin = ["buildah", *places, "--storage-driver", "vfs"]
        self._limits = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096"]

    def build(self, folder: Path, name: str, *words: object) -> None:
        options = ["--isolation", "chroot", "--pull=never", *self._limits, *words, "--tag", f"localhost/{name}"]
        run(*self._begin, "build", *options, folder, cwd=folder)

    def start(self, name: str) -> str:
        return run(*self._begin, "from", "--pull=never", *self._limits, f"localhost/{name}").strip()

    def command(self, container: str, *words: object) -> list[str]:
        return [*self._begin, "run", "--isolation", "chroot", container, "--", *map(str, words)]


@pytest.fixture(scope="module")
def image(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Buildah, str]]:
    """The image of the Containerfile, on a Debian with Python 3.13 in /usr/local, as python:3.13-slim is: that one
    cannot be fetched everywhere."""
    folder = tmp_path_factory.mktemp("images")
    buildah = Buildah(folder)
    try:
        (folder / "base").mkdir()
        shutil.copy(base, folder / "base/debian.tar")
        shutil.copy(CERTIFICATES, folder / "base")
        (folder / "base/Containerfile").write_text(
            "FROM scratch\nADD debian.tar /\nENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            f"COPY {CERTIFICATES.name} {CERTIFICATES}\n"
            "RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv\n"
            "RUN python3 -m venv /usr/local\n"
        )
        buildah.build(folder / "base", "python:3.13-slim")
        checkout = folder / "checkout"
        run("git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", checkout)
        (checkout / "Containerfile").write_text(write_text("container", folder))
        buildah.build(checkout, "commensal", "--from", "localhost/python:3.13-slim")
        yield buildah, buildah.start("commensal")
    finally:
        shutil.rmtree(folder)


def test_the_container_image_is_built_and_serves(image: tuple[Buildah, str]) -> None:
    buildah, container = image
    folder, port = "/var/lib/commensal/val", free_port()
    assert "uid=10001" in run(*buildah.command(container, "id"))
    begin = ["init", "--name", "Val", "--base-url", f"http://127.0.0.1:{port}", "--language", "fr"]
    begin += ["--timezone", "Europe/Paris", "--sender", "val@example.org", "--backups", "/var/lib/commensal/backups"]
    for words in (begin, ["keys", "init"], ["backup"], ["check"]):
        run(*buildah.command(container, "commensal", *words, "--instance", folder))
    server = subprocess.Popen(buildah.command(container, "commensal", "serve", "--instance", folder), process_group=0)
    try:
        wait_until(lambda: page(port), "it serves")
        assert "Val" in page(port)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


@dataclass(frozen=True)
class Volume:
    """The volume `data` of compose.yaml, which its container `web` fills and upgrades."""

    folder: Path
    image: tuple[Buildah, str]

    def setup(self, failpoint: str = "", lines: int = 100) -> int:
        """What it runs before it serves, as if it were killed at the failpoint or after so many lines. Returns its exit
        code."""
        return self.run("sh", "-euc", "".join(steps_of_setup()[:lines]), failpoint=failpoint)

    def commensal(self, *words: str, failpoint: str = "") -> int:
        return self.run("commensal", *words, "--instance", "val", failpoint=failpoint)

    def run(self, *words: str, failpoint: str = "") -> int:
        buildah, container = self.image
        values = {**FIRST_SETTINGS, "COMMENSAL_FAILPOINT": failpoint}
        environment = [f"{name}={value}" for name, value in values.items()]
        line = buildah.command(container, "env", *environment, *words)
        place = [
            "--volume",
            f"{self.folder}:/var/lib/commensal",
            "--user",
            "10001",
            "--workingdir",
            "/var/lib/commensal",
        ]
        at = line.index("run") + 1
        result = subprocess.run(
            [*line[:at], *place, *line[at:]], check=False, text=True, capture_output=True, timeout=120
        )
        print(failpoint, result.stdout, result.stderr)
        return result.returncode


@pytest.fixture
def volume(tmp_path: Path, image: tuple[Buildah, str]) -> Volume:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 10001, 10001)
    return Volume(folder, image)


def assert_complete(volume: Volume) -> None:
    """There are keys and an operator, and an upgrade finds nothing to do."""
    assert sorted(file.name for file in (volume.folder / "val/keys").iterdir()) == ["k1.key", "k2.key", "root.key"]
    assert not (volume.folder / ".new").exists()
    with closing(sqlite3.connect(volume.folder / "val/commensal.db")) as connection:
        assert connection.execute("SELECT email FROM person WHERE is_operator").fetchall() == [("marie@val.example",)]
    assert volume.commensal("check") == 0


FIRST_STEPS = ("migration.before_commit:1", "migration.committed:9", "arrival.checked:1")


@pytest.mark.parametrize("failpoint", FIRST_STEPS)
def test_a_first_start_that_was_killed_goes_on_at_the_next(volume: Volume, failpoint: str) -> None:
    assert volume.setup(failpoint) != 0
    assert volume.setup() == 0
    assert_complete(volume)


@pytest.mark.parametrize("lines", [2, 3, 4, 5])
def test_a_first_start_that_was_killed_between_two_commands_goes_on(volume: Volume, lines: int) -> None:
    assert volume.setup(lines=lines) == 0
    assert volume.setup() == 0
    assert_complete(volume)
    assert volume.setup() == 0


UPGRADE_STEPS = (
    "backup.copied:1",
    "backup.packed:1",
    "backup.checked:1",
    "backup.named:1",
    "upgrade.backed_up:1",
    "migration.before_commit:1",
    "migration.committed:1",
    "upgrade.migrated:1",
    "upgrade.checked:1",
)
STEPS_BACK = ("returning.restored:1", "returning.replaced:1")


@pytest.fixture
def of_before(volume: Volume) -> Volume:
    """With an instance of the first release."""
    unpack(FIRST, volume.folder / "val")
    write_upgrade_record(volume.folder / "val", UpgradeRecord(version=FIRST, at=datetime.now(UTC)))
    for file in volume.folder.rglob("*"):
        os.chown(file, 10001, 10001)
    return volume


def rows(volume: Volume) -> list[str]:
    with closing(sqlite3.connect(volume.folder / "val/commensal.db")) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("failpoint", UPGRADE_STEPS)
def test_an_upgrade_of_containers_that_was_killed_goes_on_or_back(of_before: Volume, failpoint: str) -> None:
    before = rows(of_before)
    assert of_before.setup(failpoint) != 0
    assert of_before.setup() == 0
    assert of_before.commensal("check") == 0
    assert rows(of_before) != before
    for step in STEPS_BACK:
        assert of_before.commensal("upgrade", "--back", failpoint=step) != 0
    assert of_before.commensal("upgrade", "--back") == 0
    assert rows(of_before) == before


def page(port: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text
    except httpx.ConnectError:
        return ""
