"""A machine with versions of Commensal beside each other: wheels of two versions, and services that are processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from commensal.parts.upgrading.versions import Program

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "core" / "install" / "install.sh"
OLD, NEW = "7.0", "7.0.1"
ADDED = "9999_added"  # the revision that the new version has and the old has not

# What install.sh and upgrades need of Debian, for an ordinary user and a folder. `KILLED_AT=stop` kills whoever asks
# systemd for that, once the services have stopped.
TOOLS = {
    "systemctl": """
pid={folder}/pid
case $1 in
start | enable)
    [ -e $pid ] && kill -0 $(cat $pid) 2>/dev/null && exit 0
    setsid {command} serve --instance {instance} >>{folder}/log 2>&1 </dev/null &
    echo $! >$pid ;;
stop)
    [ -e $pid ] && kill $(cat $pid) 2>/dev/null && while kill -0 $(cat $pid) 2>/dev/null; do sleep 0.05; done
    rm -f $pid ;;
esac
[ "$KILLED_AT" = "$1" ] && kill -KILL $PPID
exit 0
""",
    "id": "echo 0",
    "install": 'while [ "$1" != 700 ]; do shift; done; shift; mkdir -p "$@"',  # install -d -o commensal -m 700 …
    "runuser": 'shift 3; exec "$@"',  # -u commensal --
    "caddy": "exit 0",
}


def build_wheels(into: Path, *, pinned: bool = False) -> tuple[Path, Path]:
    """Wheels of this tree under two numbers. The newer one has a revision more. Only if `pinned` do they name what is
    to be installed with them."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(into / "built")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = (into / "built").glob("*.whl")
    return _renumbered(built, into, OLD, pinned), _renumbered(built, into, NEW, pinned)


def _renumbered(built: Path, into: Path, version: str, pinned: bool) -> Path:
    name, number = built.name.split("-")[:2]
    renumbered = into / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info/"
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(renumbered, "w") as out:
        texts = {
            member.replace(f"{name}-{number}.dist-info/", info): source.read(member) for member in source.namelist()
        }
        metadata = texts[f"{info}METADATA"].decode()
        texts[f"{info}METADATA"] = metadata.replace(f"\nVersion: {number}\n", f"\nVersion: {version}\n").encode()
        if not pinned:
            texts["commensal/project/core/release/constraints.txt"] = b""
        if version == NEW:
            texts.update([_revision(texts)])
        texts[f"{info}RECORD"] = "".join(f"{member},,\n" for member in texts).encode()
        for member, text in texts.items():
            out.writestr(member, text)
    return renumbered


def _revision(texts: dict[str, bytes]) -> tuple[str, bytes]:
    folder = "commensal/storage/database/migrations/versions/"
    revisions = sorted(member for member in texts if re.fullmatch(rf"{folder}\d{{4}}_\w+\.py", member))
    head = Path(revisions[-1]).stem
    text = (
        f'"""A table more."""\nfrom alembic import op\nrevision = "{ADDED}"\ndown_revision = "{head}"\n'
        'def upgrade() -> None:\n    op.execute("CREATE TABLE added (id INTEGER) STRICT")\n'
    )
    return f"{folder}{ADDED}.py", text.encode()


@dataclass
class Machine:
    """A folder with versions, an instance, and `systemctl`. Components come from the environment of the tests."""

    folder: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.program = Program(self.folder / "opt" / "commensal")
        self.instance = self.folder / "var" / "lib" / "commensal" / "val"
        tools, components = self.folder / "tools", self.folder / "components"
        tools.mkdir()
        components.mkdir()
        values = {
            "folder": self.folder,
            "command": self.program.link,
            "instance": self.instance,
            "python": sys.executable,
        }
        for name, script in TOOLS.items():
            (tools / name).write_text(f"#!/bin/sh\n{script.format(**values)}\n", "utf-8")
            (tools / name).chmod(0o755)
        site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
        for component in site.iterdir():
            if not component.name.startswith(("commensal", "_commensal", "pip")) and component.suffix != ".pth":
                (components / component.name).symlink_to(component)
        self.environment = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "PYTHONPATH": str(components),
            "PIP_NO_INDEX": "1",
            "COLUMNS": "400",
            "LANGUAGE": "en",
            "COMMENSAL_ROOT": str(self.folder),
            "COMMENSAL_PYTHON": sys.executable,
        }

    def install(self, wheel: Path) -> subprocess.CompletedProcess[str]:
        """Runs install.sh with the wheel, for the instance `val`."""
        command = ["sh", str(INSTALL), str(wheel), "val", "val.example", "marie@val.example"]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=300, check=False)

    def run(self, *words: object, killed_at: str = "") -> subprocess.CompletedProcess[str]:
        """Runs the command of the version in use."""
        command = [str(self.program.link), *map(str, words)]
        environment = {**self.environment, "KILLED_AT": killed_at}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)

    @property
    def memory(self) -> float:
        """Megabytes of RAM that the service has had at most since it started."""
        status = Path(f"/proc/{(self.folder / 'pid').read_text().strip()}/status").read_text()
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert match is not None
        return int(match[1]) / 1024

    def systemctl(self, verb: str) -> None:
        subprocess.run(["systemctl", verb], env=self.environment, check=True)
