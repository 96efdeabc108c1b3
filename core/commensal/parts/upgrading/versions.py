"""Versions of Commensal beside each other on one machine, each in an environment of its own.

    /opt/commensal/versions/0.2.0/   an environment (venv) with that version
    /opt/commensal/current           a link to the version that services and shells use

Changing the version is one rename of that link. An environment counts once it is complete; one whose making was
interrupted is made anew. The version in use and the one before it stay; older ones are removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from typing import Any

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from ...base.errors import SettingsError, Trouble

LATEST = "latest"
DOWNLOADS = "downloads"  # a folder beside the versions, with wheels
_VERSIONS, _CURRENT, _COMPLETE = "versions", "current", ".complete"
_CONSTRAINTS = "commensal/project/core/release/constraints.txt"  # in the wheel: what it is to be installed with
_SUMS = "SHA256SUMS"


class CommandFailed(Trouble):
    """A command that was run failed."""

    @property
    def code(self) -> int:
        """Its exit code."""
        return int(str(self.values["code"]))


def run(command: Sequence[str | Path], *, owner_of: Path | None = None) -> str:
    """Runs a command and returns what it printed; root runs it as the owner of the folder `owner_of`.

    Raises `CommandFailed`.
    """
    result = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **_user(owner_of)
    )
    if result.returncode:
        line, output = " ".join(map(str, command)), result.stdout.strip()
        text = "`{command}` ended with {code}: {output}"
        raise CommandFailed(text, command=line, code=result.returncode, output=output)
    printed: str = result.stdout
    return printed


def _user(folder: Path | None) -> dict[str, Any]:
    if folder is None or os.geteuid() != 0 or folder.stat().st_uid == 0:
        return {}
    owner = folder.stat()
    try:
        groups = os.getgrouplist(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:  # a user id without a name, as in containers
        groups = [owner.st_gid]
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": groups}


@dataclass(frozen=True)
class Program:
    """The versions in a folder, such as /opt/commensal."""

    folder: Path

    @classmethod
    def of_this_process(cls) -> Program:
        """Raises `SettingsError` if this version does not lie beside others."""
        environment = Path(sys.prefix).resolve()
        if not is_beside_others():
            text = (
                "This Commensal is in {environment}, and not beside other versions, so none can be put in its place. "
                "install.sh makes such a place; or install the new version yourself and run `commensal upgrade`."
            )
            raise SettingsError(text, environment=environment)
        return cls(environment.parents[1])

    @property
    def current(self) -> str:
        """The version that is in use; "" before the first one is."""
        link = self.folder / _CURRENT
        return link.readlink().name if link.is_symlink() else ""

    @property
    def link(self) -> Path:
        """The command of whichever version is in use, for services and shells."""
        return self.folder / _CURRENT / "bin" / "commensal"

    def environment(self, version: str) -> Path:
        return self.folder / _VERSIONS / version

    def command(self, version: str) -> Path:
        return self.environment(version) / "bin" / "commensal"

    def has(self, version: str) -> bool:
        """Whether the environment of that version is there, and complete. False for what is not a version, such as a
        path that the owner of an instance has written into its record: root would run what lies there."""
        return _number(version) is not None and (self.environment(version) / _COMPLETE).exists()

    def use(self, version: str) -> None:
        """Lets the link lead to that version, in one step."""
        new_link = self.folder / f".{_CURRENT}"
        new_link.unlink(missing_ok=True)
        new_link.symlink_to(Path(_VERSIONS, version))
        new_link.replace(self.folder / _CURRENT)

    def remove_older(self, version: str) -> list[str]:
        """Removes the environments and wheels of versions older than that one; returns their numbers, oldest first."""
        older = sorted(
            number
            for folder in self.environment("").iterdir()
            if folder.is_dir() and (number := _number(folder.name)) is not None and number < Version(version)
        )
        for number in older:
            (self.environment(str(number)) / _COMPLETE).unlink(missing_ok=True)  # killed here, it does not count
            shutil.rmtree(self.environment(str(number)))
        for file in (self.folder / DOWNLOADS).glob("*.whl"):
            if Wheel.of(file).version < Version(version):
                file.unlink()
        return [str(number) for number in older]


def _number(name: str) -> Version | None:
    try:
        return Version(name) if str(Version(name)) == name else None
    except InvalidVersion:
        return None


def is_beside_others() -> bool:
    """Whether this process runs a version of a `Program`."""
    return Path(sys.prefix).resolve().parent.name == _VERSIONS


@dataclass(frozen=True)
class Wheel:
    """A file with a version of Commensal."""

    file: Path
    version: Version

    @classmethod
    def of(cls, file: Path) -> Wheel:
        """Raises `SettingsError` for another file, and for one whose hash is not that of a SHA256SUMS beside it."""
        try:
            name, version, _, _ = parse_wheel_filename(file.name)
        except (InvalidWheelFilename, InvalidVersion):
            name = canonicalize_name("")
        if name != "commensal" or not file.is_file():
            raise SettingsError("{file} is not a wheel of Commensal, like commensal-1.0-py3-none-any.whl.", file=file)
        _refuse_other_bytes(file)
        return cls(file.absolute(), version)

    @classmethod
    def find(cls, name: str, downloads: Path) -> Wheel:
        """The wheel that `name` means: a file, a version, or `LATEST`. The latter two are downloaded by pip.

        Raises `SettingsError`, or `CommandFailed` with what pip says.
        """
        if name.endswith(".whl"):
            return cls.of(Path(name))
        if name != LATEST and not re.fullmatch(r"\d+(\.\d+)*", name):
            raise SettingsError("{name}: name a wheel, a version like 1.0, or `latest`.", name=name)
        requirement = "commensal" if name == LATEST else f"commensal=={name}"
        with tempfile.TemporaryDirectory() as new:
            run(
                [
                    *_pip(Path(sys.executable)),
                    "download",
                    "--no-deps",
                    "--only-binary=:all:",
                    "--dest",
                    new,
                    requirement,
                ]
            )
            (file,) = Path(new).glob("*.whl")
            downloads.mkdir(parents=True, exist_ok=True)
            return cls.of(Path(shutil.copy(file, downloads)))


def _refuse_other_bytes(file: Path) -> None:
    sums = file.with_name(_SUMS)
    if not sums.exists():
        return
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = sums.read_text("utf-8").splitlines()
    if not any(line.endswith(f" {file.name}") for line in lines):
        raise SettingsError("{sums} has no line for {file}; get both of one release.", file=file.name, sums=sums)
    if f"{digest}  {file.name}" not in lines:
        raise SettingsError("{file} is not what {sums} says it is; get both again.", file=file, sums=sums)


def install(program: Program, wheel: Wheel) -> None:
    """Makes the environment of that version, unless it is complete, with the plugins of others that this one has.

    Components come in the versions and with the hashes that the wheel names. Raises `CommandFailed`.
    """
    version = str(wheel.version)
    environment = program.environment(version)
    if program.has(version):
        return
    if environment.exists():
        shutil.rmtree(environment)
    environment.parent.mkdir(parents=True, exist_ok=True)
    run([sys.executable, "-m", "venv", environment])
    pip = [*_pip(environment / "bin" / "python"), "install", "--quiet"]
    with tempfile.TemporaryDirectory() as temporary:
        pinned = Path(temporary) / "constraints.txt"
        pinned.write_text(_constraints(wheel.file), "utf-8")
        if "==" in pinned.read_text("utf-8"):
            run([*pip, "--require-hashes", "--no-deps", "--requirement", pinned])
        run([*pip, "--no-deps", wheel.file])
        if plugins := other_plugins():
            run([*pip, *plugins])
    run([program.command(version), "--version"])
    (environment / _COMPLETE).touch()


def _pip(python: Path) -> list[str | Path]:
    return [python, "-m", "pip", "--disable-pip-version-check"]


def _constraints(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(_CONSTRAINTS).decode() if _CONSTRAINTS in archive.namelist() else ""


def other_plugins() -> list[str]:
    """What to install again in a new environment: the distributions with plugins that did not come with Commensal."""
    distributions = [point.dist for point in entry_points(group="commensal") if point.dist is not None]
    others = {dist.name: dist for dist in distributions if dist.name != "commensal"}
    return [_requirement(dist) for _, dist in sorted(others.items())]


def _requirement(distribution: Distribution) -> str:
    """The distribution in its version; or from where it was installed, if that was no index (PEP 610)."""
    origin = distribution.read_text("direct_url.json")
    url = json.loads(origin).get("url", "") if origin else ""
    return f"{distribution.name} @ {url}" if url else f"{distribution.name}=={distribution.version}"
