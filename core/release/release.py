"""Makes a release: `make release`, or `make release TRIAL=1`, which makes all of it and keeps nothing.

Everything is made in a scratch clone. Its commits and the tag come into this repository, and the files into ``dist/``,
only when all of it is there and right: a release that fails at any step leaves nothing behind.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).parents[2]
RELEASES = Path("tests/core/releases")  # a folder for each release, with an instance of it
PROJECT, CHANGELOG, CONSTRAINTS = Path("pyproject.toml"), Path("CHANGELOG.md"), Path("core/release/constraints.txt")
INSTALLATION, YUNOHOST = Path("core/install/install.sh"), Path("core/install/yunohost")
UNRELEASED = "## Unreleased\n"
MIGRATIONS = ("core/commensal/storage/database/migrations/versions", "federation/commensal_federation/migrations")
SUMS = "SHA256SUMS"
_VERSION = re.compile(r'^version = "(.+?)"', re.MULTILINE)
_REVISION = re.compile(r'^revision(?:: str)? = "(.+)"$', re.MULTILINE)


class NotReady(Exception):
    """The tree cannot become a release; the text says why, and what would be right."""


def version_of(root: Path) -> Version:
    """The version in pyproject.toml, the only place that has it."""
    return Version(tomllib.loads((root / PROJECT).read_text("utf-8"))["project"]["version"])


def released(root: Path) -> Version:
    """The newest release of which the tree contains an instance."""
    return max(Version(folder.name) for folder in (root / RELEASES).iterdir() if (folder / "sqlite.zip").exists())


def revisions_since(root: Path, release: Version) -> list[str]:
    """The revisions of the tree that the instance of a release had not seen, sorted.

    The manifest of the instance names the newest revision of each line; revisions are numbered within their line.
    """
    with zipfile.ZipFile(root / RELEASES / str(release) / "sqlite.zip") as archive:
        heads = [head for line in json.loads(archive.read("manifest.json"))["revisions"].values() for head in line]
    newest = {_line(head): _number(head) for head in heads}
    files = (file for folder in _migration_folders(root) for file in folder.glob("*.py"))
    revisions = [match[1] for file in files if (match := _REVISION.search(file.read_text("utf-8")))]
    return sorted(revision for revision in revisions if _number(revision) > newest.get(_line(revision), 0))


def _migration_folders(root: Path) -> list[Path]:
    return [*(root / folder for folder in MIGRATIONS), *root.glob("plugins/*/migrations")]


def _line(revision: str) -> str:
    return re.split(r"\d{4}_", revision, maxsplit=1)[0]


def _number(revision: str) -> int:
    return int(re.split(r"(\d{4})_", revision, maxsplit=1)[1])


def refuse_old_number(root: Path) -> None:
    """Raises `NotReady` if the tree is not later than the newest release: upgrades and backups tell versions by their
    number, so two trees with different tables must not have the same one."""
    version, release = version_of(root), released(root)
    if version > release:
        return
    if revisions := revisions_since(root, release):
        since = f"there are {len(revisions)} revisions since, from {revisions[0]} on"
        text = f"{PROJECT} says {version}, which is out, but {since}. Let it say the next version with .dev0."
        raise NotReady(text)
    if version < release:
        raise NotReady(f"{PROJECT} says {version}, but {release} is out.")


def refuse_unready(root: Path) -> Version:
    """Returns the version that the tree would be released as. Raises `NotReady` with the first reason against it."""
    refuse_old_number(root)
    version = version_of(root)
    if not version.is_devrelease:
        raise NotReady(f"{PROJECT} says {version}; a version that is being made ends in .dev0.")
    if not changes(root).strip():
        raise NotReady(f"{CHANGELOG} says nothing under {UNRELEASED.strip()!r}; tell operators what changes for them.")
    if missing := missing_from_constraints(root):
        raise NotReady(f"{CONSTRAINTS} lacks {', '.join(missing)}; run `make constraints`.")
    return Version(version.base_version)


def changes(root: Path) -> str:
    """What the changelog says of the version that is being made."""
    _, heading, after = (root / CHANGELOG).read_text("utf-8").partition(UNRELEASED)
    return after.partition("\n## ")[0] if heading else ""


def missing_from_constraints(root: Path) -> list[str]:
    """Direct dependencies for which the constraints name no version."""
    project = tomllib.loads((root / PROJECT).read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    required = [*project["dependencies"], *(line for extra in SERVER_EXTRAS for line in extras[extra])]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0].lower().replace("_", "-") for line in required]
    pinned = set(re.findall(r"^([\w.-]+)==", (root / CONSTRAINTS).read_text("utf-8"), re.MULTILINE))
    return sorted(set(names) - pinned)


SERVER_EXTRAS = ("pdf", "postgresql", "stripe")


def set_version(root: Path, version: str) -> None:
    file = root / PROJECT
    file.write_text(_VERSION.sub(f'version = "{version}"', file.read_text("utf-8"), count=1), "utf-8")


def close_changes(root: Path, version: Version, today: date) -> None:
    """Gives what is unreleased in the changelog the heading of the release."""
    file = root / CHANGELOG
    file.write_text(file.read_text("utf-8").replace(UNRELEASED, f"## {version}, {today:%Y-%m-%d}\n", 1), "utf-8")


def open_changes(root: Path, release: Version) -> None:
    """Begins the section of the next version above that of the release."""
    file = root / CHANGELOG
    heading = f"## {release},"
    file.write_text(file.read_text("utf-8").replace(heading, f"{UNRELEASED}\n{heading}", 1), "utf-8")


def build(root: Path, into: Path, epoch: int) -> list[Path]:
    """Builds wheel and sdist; all times in them are `epoch` (seconds), so that anybody can build the same bytes."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into)]
    _run(command, root, environment)
    return sorted(into.glob("commensal-*"))


def build_twice(root: Path, into: Path, epoch: int) -> list[Path]:
    """Builds into `into`, and again elsewhere. Raises `NotReady` if the bytes differ."""
    files = build(root, into, epoch)
    with tempfile.TemporaryDirectory() as other:
        again = Path(other) / "source"
        shutil.copytree(root, again, ignore=shutil.ignore_patterns(".venv*", "dist", "node_modules", ".*_cache"))
        copies = build(again, Path(other) / "dist", epoch)
        if differing := [file.name for file, copy in zip(files, copies, strict=True) if _hash(file) != _hash(copy)]:
            raise NotReady(f"Not reproducible, built twice with different bytes: {', '.join(differing)}.")
    return files


def write_components(root: Path, into: Path, epoch: int) -> Path:
    """Writes the components that a server installs, with versions and hashes, as CycloneDX."""
    file = into / "components.cdx.json"
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "requirements",
        "--pyproject",
        str(PROJECT),
        "--output-reproducible",
    ]
    _run([*command, "--output-file", str(file), str(CONSTRAINTS)], root)
    components = json.loads(file.read_text("utf-8"))
    components["metadata"]["timestamp"] = datetime.fromtimestamp(epoch, UTC).isoformat()
    file.write_text(json.dumps(components, indent=1, sort_keys=True) + "\n", "utf-8")
    return file


def write_yunohost(root: Path, into: Path, version: Version, epoch: int) -> Path:
    """Packs the package for YunoHost with the wheel that is in `into`, the same bytes whenever it is done."""
    (wheel,) = into.glob("*.whl")
    number = 'version = "0.0.0~ynh1"'
    manifest = (root / YUNOHOST / "manifest.toml").read_text("utf-8")
    if number not in manifest:
        raise NotReady(f"{YUNOHOST}/manifest.toml does not say {number}.")
    contents = {
        file.relative_to(root / YUNOHOST): (file.read_bytes(), file.stat().st_mode & 0o755)
        for file in (root / YUNOHOST).rglob("*")
        if file.is_file()
    }
    contents[Path("manifest.toml")] = manifest.replace(number, f'version = "{version}~ynh1"').encode(), 0o644
    contents[Path("conf", wheel.name)] = wheel.read_bytes(), 0o644
    contents[Path("LICENSE")] = (root / "LICENSE").read_bytes(), 0o644
    packed = into / f"commensal_ynh-{version}.tar.gz"
    with (
        packed.open("wb") as out,
        gzip.GzipFile("", "wb", fileobj=out, mtime=epoch) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for path, (content, mode) in sorted(contents.items()):
            member = tarfile.TarInfo(f"commensal_ynh/{path}")
            member.size, member.mode, member.mtime = len(content), mode, epoch
            archive.addfile(member, io.BytesIO(content))
    return packed


def write_sums(folder: Path) -> Path:
    """Writes the hashes of all files in a folder, as `sha256sum --check` reads them."""
    lines = [f"{_hash(file)}  {file.name}\n" for file in sorted(folder.iterdir()) if file.name != SUMS]
    (folder / SUMS).write_text("".join(lines), "utf-8")
    return folder / SUMS


def store_instance(root: Path, wheel: Path) -> None:
    """Stores an instance of the release, made by its wheel, which every later suite upgrades."""
    with tempfile.TemporaryDirectory() as unpacked:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)  # noqa: S202  # a wheel that was built just now
        _run([sys.executable, str(RELEASES / "make.py")], root, {**os.environ, "PYTHONPATH": unpacked})


def make_release(source: Path, *, keep: bool, checks: str, today: date) -> Iterator[str]:
    """Makes the release and yields what was done, step by step. `checks` is a command that must succeed in the clone;
    no shell reads it. Without `keep`, nothing is left of it.

    Raises `NotReady`, or `subprocess.CalledProcessError` for a command that failed.
    """
    if changed := _run(["git", "status", "--porcelain"], source):
        raise NotReady(f"There are changes that are not committed:\n{changed}")
    version = refuse_unready(source)
    tag = f"v{version}"
    if _run(["git", "tag", "--list", tag], source):
        raise NotReady(f"There is a tag {tag} already.")
    yield f"{version} can be made"
    with tempfile.TemporaryDirectory() as temporary:
        clone, dist = Path(temporary) / "commensal", Path(temporary) / "dist"
        _run(["git", "clone", "--quiet", str(source), str(clone)], source)
        for name in ("user.name", "user.email"):
            _run(["git", "config", name, _run(["git", "config", name], source)], clone)
        if checks:
            subprocess.run(shlex.split(checks), cwd=clone, check=True)  # noqa: S603  # the operator's own command
            yield f"checked: {checks}"
        set_version(clone, str(version))
        close_changes(clone, version, today)
        first = build(clone, Path(temporary) / "first", 0)
        store_instance(clone, next(file for file in first if file.suffix == ".whl"))
        yield f"stored an instance of {version}"
        _run(["git", "add", "--all"], clone)
        _run(["git", "commit", "--quiet", "--message", f"Release {version}"], clone)
        _run(["git", "tag", "--annotate", tag, "--message", f"Commensal {version}"], clone)
        epoch = int(_run(["git", "log", "-1", "--format=%ct"], clone))
        build_twice(clone, dist, epoch)
        for file in (CONSTRAINTS, INSTALLATION, CHANGELOG):
            shutil.copy(clone / file, dist)
        write_components(clone, dist, epoch)
        write_yunohost(clone, dist, version, epoch)
        write_sums(dist)
        yield from (f"{file.stat().st_size:>10,} bytes  {file.name}" for file in sorted(dist.iterdir()))
        set_version(clone, f"{version.major}.{version.minor + 1}.0.dev0")
        open_changes(clone, version)
        _run(["git", "commit", "--quiet", "--all", "--message", f"Begin {version_of(clone)}"], clone)
        if not keep:
            yield "Nothing of it was kept."
            return
        _run(["git", "pull", "--quiet", "--ff-only", "--tags", str(clone), "HEAD"], source)
        shutil.copytree(dist, source / "dist" / str(version))
        yield f"tagged {tag}; the files are in dist/{version}. To publish it: git push --follow-tags"


def _run(command: list[str], folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    result = subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return result.stdout.strip()


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a release of the tree.")
    parser.add_argument("--trial", action="store_true", help="make all of it, and keep nothing")
    parser.add_argument("--checks", default="make weaknesses test test-rest", help="what must succeed first")
    arguments = parser.parse_args()
    try:
        for step in make_release(
            ROOT, keep=not arguments.trial, checks=arguments.checks, today=datetime.now(UTC).date()
        ):
            print(step, flush=True)
    except NotReady as reason:
        sys.exit(f"No release: {reason}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"No release: {' '.join(map(str, error.cmd))} ended with {error.returncode}. Nothing was changed.")


if __name__ == "__main__":
    main()
