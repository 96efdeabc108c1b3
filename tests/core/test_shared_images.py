"""Pictures in a folder that two machines with one database share: each serves what the other was given."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from tests.ports import free_port

from commensal.base.clock import SystemClock
from commensal.base.errors import SettingsError
from commensal.instance import Instance, load_settings, open_instance
from commensal.parts.backups.backup import back_up
from commensal.parts.hosting import write_text
from commensal.parts.monitoring.environment import warnings
from commensal.parts.pictures.images import Picture, add_image, keep_picture, read_picture
from commensal.storage.database import Store
from commensal.testing.placed import a_shop

from .keeping import postgresql_tools, write_settings
from .processes import wait_until

__all__ = ["postgresql_tools"]  # fixtures
PICTURE = Picture(content=b"a picture", thumbnail=b"a thumbnail", width=60, height=40)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


@pytest.fixture
def machines(store: Store, tmp_path: Path, shared: Path) -> list[Path]:
    """The instance's folder on each of two machines, with the same database."""
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        write_settings(folder, store.url, images={"folder": str(shared)})
    return folders


def add_picture(instance: Instance) -> str:
    keep_picture(instance.images, PICTURE)
    with instance.store.write() as tx:
        a_shop(tx)
        return add_image(tx, enterprise_id="shop", picture=PICTURE).id


def test_each_machine_serves_the_pictures_of_the_other(machines: list[Path]) -> None:
    with open_instance(machines[0]) as first, open_instance(machines[1]) as second:
        image = add_picture(first)
        with second.store.read() as tx:
            assert read_picture(tx, second.images, image) == b"a picture"
            assert read_picture(tx, second.images, image, small=True) == b"a thumbnail"
    assert not any((folder / "images").exists() for folder in machines)


def test_a_backup_holds_the_shared_pictures(machines: list[Path], tmp_path: Path) -> None:
    with open_instance(machines[0]) as first:
        add_picture(first)
    backup = back_up(machines[1], tmp_path / "backups", clock=SystemClock())
    with zipfile.ZipFile(backup.file) as archive:
        pictures = [archive.read(name) for name in archive.namelist() if name.startswith("images/")]
    assert sorted(pictures) == [b"a picture", b"a thumbnail"]


def test_health_says_that_the_shared_folder_is_not_mounted(machines: list[Path], shared: Path) -> None:
    shared.rmdir()
    with open_instance(machines[0]) as instance:
        assert f"There is no {shared}: is its disk mounted?" in [str(problem) for problem in warnings(instance)]


def test_the_folder_is_an_absolute_path(machines: list[Path]) -> None:
    file = machines[0] / "instance.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(str(machines[0].parent / "shared"), "shared"), "utf-8")
    with pytest.raises(SettingsError, match=r"images\.folder: 'shared' must be an absolute path"):
        load_settings(machines[0])


@pytest.mark.parametrize("unit", ["commensal", "commensal-work"])
def test_systemd_lets_both_services_write_there(machines: list[Path], shared: Path, unit: str) -> None:
    assert f"\nReadWritePaths=-{shared}\n" in write_text(unit, machines[0])


# ------------------------------------------------------------------------------------------------ storage elsewhere


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[list[Path]]:
    """A folder on each of two machines, where rclone mounts the same storage, which it reaches over HTTP."""
    if shutil.which("rclone") is None or shutil.which("fusermount3") is None or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("rclone cannot mount here: apt install rclone fuse3")
    port, storage = free_port(), tmp_path / "storage"
    folders = [tmp_path / "mounted" / name for name in ("one", "other")]
    for folder in (storage, *folders):
        folder.mkdir(parents=True)
    server = ["rclone", "serve", "webdav", str(storage), "--addr", f"127.0.0.1:{port}"]
    remote = f":webdav,url='http://127.0.0.1:{port}':"
    with ExitStack() as stack:
        stack.enter_context(running(server))
        wait_until(lambda: listens(port), "the storage listens")
        for folder in folders:
            words = [*MOUNT, "--cache-dir", str(folder.with_suffix(".cache")), remote, str(folder)]
            stack.enter_context(running(words))
            wait_until(folder.is_mount, "the storage is mounted")
        yield folders


# As the guide for operators has it.
MOUNT = ["rclone", "mount", "--vfs-cache-mode", "writes", "--dir-cache-time", "1s"]


@contextmanager
def running(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.mark.long  # seconds
def test_a_picture_reaches_the_other_machine_through_storage_that_rclone_mounts(mounts: list[Path]) -> None:
    here, there = mounts
    keep_picture(here, PICTURE)
    wait_until(lambda: {path.read_bytes() for path in there.iterdir()} == {b"a picture", b"a thumbnail"}, "it arrives")


def test_the_guide_mounts_storage_in_this_way() -> None:
    guide = (Path(__file__).parents[2] / "core/guides/operator.md").read_text(encoding="utf-8")
    assert " ".join(MOUNT) in " ".join(guide.split())
