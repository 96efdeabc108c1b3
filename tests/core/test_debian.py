"""On a whole Debian of its own, with systemd, apt and pip: the line of the README, and the container image.

`make test-debian` runs this, for some minutes and as root: it needs mmdebstrap, systemd-container and buildah of
Debian, and the network. The base system is made once, in the folder that COMMENSAL_TEST_DEBIAN names.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.ports import free_port

from commensal.operations.hosting import write_text

from .processes import wait_until
from .versions import INSTALL, NEW, OLD, ROOT, build_wheels

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif("COMMENSAL_TEST_DEBIAN" not in os.environ, reason="`make test-debian` runs it"),
]
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # of a network whose certificates only this machine knows
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
        list(map(str, command)), cwd=cwd, timeout=seconds, check=False, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
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


def page(port: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text
    except httpx.ConnectError:
        return ""
