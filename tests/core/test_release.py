"""Releases: a number is never used twice, and `make release` makes everything that belongs to one, or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import zipfile
from datetime import date
from pathlib import Path

import pytest
from packaging.version import Version

from release import release

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 12, 1)
EPOCH = 1_700_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The parts of the project that say what it is a release of, as they are."""
    root = tmp_path / "tree"
    for path in (release.PROJECT, release.CHANGELOG, release.CONSTRAINTS, release.RELEASES, *release.MIGRATIONS):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, root / path, ignore=shutil.ignore_patterns("__pycache__", "*.gz"))
        else:
            shutil.copy(ROOT / path, root / path)
    _tell_operators(root)
    (root / release.MIGRATIONS[0] / "9999_since.py").write_text('revision = "9999_since"\n', "utf-8")
    return root


def _tell_operators(root: Path) -> None:
    """Writes a line of what is unreleased; a tree just after its release has none."""
    changelog = root / release.CHANGELOG
    text = changelog.read_text("utf-8")
    changelog.write_text(text.replace(release.UNRELEASED, f"{release.UNRELEASED}\nSomething new.\n", 1), "utf-8")


def test_this_tree_has_a_number_that_no_release_had() -> None:
    release.refuse_old_number(ROOT)
    assert release.version_of(ROOT) > release.released(ROOT)


def test_a_tree_with_new_migrations_and_the_number_of_a_release_is_refused(tree: Path) -> None:
    release.set_version(tree, str(release.released(tree)))
    with pytest.raises(
        release.NotReady, match=r"says [\d.]+, which is out, but there are \d+ revisions since, from \w+ on"
    ):
        release.refuse_old_number(tree)


def test_a_tree_without_new_migrations_is_the_release_itself(tree: Path) -> None:
    first = release.released(tree)
    for revision in release.revisions_since(tree, first):
        for folder in release.MIGRATIONS:
            (tree / folder / f"{revision}.py").unlink(missing_ok=True)
    assert release.revisions_since(tree, first) == []
    release.set_version(tree, str(first))
    release.refuse_old_number(tree)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tree: release.set_version(tree, "9.0.0"), r"says 9\.0\.0; a version that is being made ends in \.dev0"),
        (lambda tree: release.set_version(tree, "0.0.9.dev0"), r"which is out, but there are \d+ revisions since"),
        (lambda tree: release.close_changes(tree, Version("0.2.0"), TODAY), "says nothing under '## Unreleased'"),
        (lambda tree: (tree / release.CONSTRAINTS).write_text("pluggy==1.6.0\n"), r"lacks alembic, .*; run `make"),
    ],
)
def test_a_tree_that_is_not_ready_is_told_what_it_lacks(tree: Path, change: object, reason: str) -> None:
    assert str(release.refuse_unready(tree)) == Version(str(release.version_of(tree))).base_version
    change(tree)  # type: ignore[operator]
    with pytest.raises(release.NotReady, match=reason):
        release.refuse_unready(tree)


def test_the_changelog_gets_the_heading_of_the_release_and_a_new_section_above(tree: Path) -> None:
    before = release.changes(tree)
    release.close_changes(tree, Version("0.2.0"), TODAY)
    release.open_changes(tree, Version("0.2.0"))
    text = (tree / release.CHANGELOG).read_text("utf-8")
    assert f"## Unreleased\n\n## 0.2.0, 2026-12-01\n{before}" in text
    assert release.changes(tree).strip() == ""


def test_what_servers_install_is_pinned_with_hashes() -> None:
    lines = (ROOT / release.CONSTRAINTS).read_text("utf-8").splitlines()
    pinned = [number for number, line in enumerate(lines) if "==" in line]
    assert len(pinned) > len(release.SERVER_EXTRAS)
    assert [lines[number] for number in pinned if "--hash=sha256:" not in lines[number + 1]] == []
    assert release.missing_from_constraints(ROOT) == []


def test_the_package_for_yunohost_carries_the_wheel_and_its_version(tmp_path: Path) -> None:
    (tmp_path / "commensal-0.2.0-py3-none-any.whl").write_bytes(b"wheel")
    packed = release.write_yunohost(ROOT, tmp_path, Version("0.2.0"), EPOCH)
    first = packed.read_bytes()
    assert release.write_yunohost(ROOT, tmp_path, Version("0.2.0"), EPOCH).read_bytes() == first
    with tarfile.open(packed) as archive:
        members = {member.name.removeprefix("commensal_ynh/"): member for member in archive.getmembers()}
        manifest = archive.extractfile(members["manifest.toml"])
        assert manifest is not None
        assert 'version = "0.2.0~ynh1"' in manifest.read().decode()
    assert {"conf/commensal-0.2.0-py3-none-any.whl", "scripts/install", "LICENSE"} <= set(members)
    assert members["scripts/install"].mode == 0o755


def test_a_release_whose_checks_fail_leaves_nothing(origin: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        list(release.make_release(origin, keep=True, checks="false", today=TODAY))
    assert not (origin / "dist").exists()
    assert subprocess.check_output(["git", "-C", origin, "tag"]) == b""
    assert subprocess.check_output(["git", "-C", origin, "status", "--porcelain"]) == b""


def test_changes_that_are_not_committed_are_in_no_release(origin: Path) -> None:
    (origin / "README.md").write_text("not yet")
    with pytest.raises(release.NotReady, match=r"not committed:\nM README\.md"):
        next(release.make_release(origin, keep=True, checks="true", today=TODAY))


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with this project, of which Ada makes a release."""
    folder = tmp_path / "origin"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", folder], check=True)
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        subprocess.run(["git", "-C", folder, "config", name, value], check=True)
    _tell_operators(folder)
    subprocess.run(["git", "-C", folder, "commit", "--quiet", "--all", "--message", "Tell operators"], check=True)
    return folder


@pytest.mark.long
def test_a_release_has_all_that_belongs_to_it(origin: Path) -> None:
    """With the wheel's own instance of the release, and both archives built twice."""
    version = release.refuse_unready(origin)
    steps = list(release.make_release(origin, keep=True, checks="true", today=TODAY))
    assert steps[-1].startswith(f"tagged v{version}")
    dist = origin / "dist" / str(version)
    names = {file.name for file in dist.iterdir()}
    wheel, sdist = f"commensal-{version}-py3-none-any.whl", f"commensal-{version}.tar.gz"
    others = {
        f"commensal_ynh-{version}.tar.gz",
        "components.cdx.json",
        "constraints.txt",
        "install.sh",
        "CHANGELOG.md",
        "SHA256SUMS",
    }
    assert names == {wheel, sdist, *others}
    for line in (dist / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
    components = json.loads((dist / "components.cdx.json").read_text())
    assert components["bomFormat"] == "CycloneDX"
    assert {"sqlalchemy", "starlette"} <= {component["name"] for component in components["components"]}
    with zipfile.ZipFile(dist / wheel) as archive:
        assert f"Version: {version}\n" in archive.read(f"commensal-{version}.dist-info/METADATA").decode()
    with tarfile.open(dist / sdist) as archive:
        stored = f"commensal-{version}/{release.RELEASES}/{version}/sqlite.zip"
        manifest = archive.extractfile(stored)
        assert manifest is not None
        with zipfile.ZipFile(manifest) as instance:
            assert json.loads(instance.read("manifest.json"))["commensal"] == str(version)
    assert str(release.version_of(origin)) == f"{version.major}.{version.minor + 1}.0.dev0"
    assert release.released(origin) == version
