"""Reads and writes the files that a command line names, with the rights of whoever typed it.

A command of root gives its rights up for good before it runs what the folder of an instance says. What it names in
/root is opened by a second process: that one stays root, runs nothing of the instance, and touches no other file.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from .owner import other_owner

_LONGEST = 65_536  # bytes of a request; a path has at most 4,096
_DO_IT_YOURSELF = -1  # the answer about a file that root does not open
_root: ContextVar[socket.socket | None] = ContextVar("root", default=None)


def open_file_of_caller(file: Path) -> IO[bytes]:
    """A stream from a file that the command line names. Raises `OSError`."""
    return os.fdopen(_do("open", file), "rb")


@contextmanager
def file_of_caller(file: Path, *, private: bool = True, new: bool = False) -> Iterator[IO[bytes]]:
    """A stream into a file that the command line names; it belongs to whoever typed the command, and appears complete
    or not at all. Raises `OSError`.

    private: nobody else may read it, unless it is there already and belongs to the caller, who has set its mode
    new:     raises `FileExistsError` where there is a file of that name
    """
    if new:
        _do("refuse_existing", file)
    descriptor = _do("begin", file, private)
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    try:
        with os.fdopen(descriptor, "w+b" if is_file else "wb") as stream:  # else /dev/stdout, or a pipe
            yield stream
            stream.flush()
            if is_file:
                os.fsync(descriptor)
        if is_file:
            _do("finish", file, new)
    finally:
        if is_file:
            _do("drop", file)


@contextmanager
def files_kept_for_root(named: Collection[Path], folder: object) -> Iterator[None]:
    """In the block, a second process of root opens the files `named` for this one, which becomes the owner of `folder`
    meanwhile. Nothing happens for other users, or where nothing is named."""
    owner = other_owner(folder)
    if owner is None or not named:
        yield
        return
    connection, other_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = os.fork()
    if process == 0:
        connection.close()
        try:
            _serve(other_end, set(named), owner)
        finally:
            os._exit(0)
    other_end.close()
    token = _root.set(connection)
    try:
        yield
    finally:
        _root.reset(token)
        connection.close()
        os.waitpid(process, 0)


def name_new_file(unfinished: Path, file: Path) -> None:
    """Renames a finished file, and syncs the name to the disk. Raises `FileExistsError` rather than overwrite."""
    try:
        os.link(unfinished, file)  # unlike a rename, this fails if the name exists
        unfinished.unlink()
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        unfinished.rename(file)  # a file system without hard links, as on many removable disks
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Syncs the names in `folder` to the disk, so that they survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(file: Path, _flag: bool) -> int:
    return os.open(file, os.O_RDONLY)


def _refuse_existing(file: Path, _flag: bool) -> None:
    if os.path.lexists(file):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file))


def _begin(file: Path, private: bool) -> int:
    if os.path.exists(file) and not os.path.isfile(file):  # these look through no folder that they may not
        return os.open(file, os.O_WRONLY)
    _unfinished(file).unlink(missing_ok=True)  # of a killed command
    # Never through a link that somebody else has laid there.
    descriptor = os.open(_unfinished(file), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    with suppress(FileNotFoundError):
        before = file.lstat()
        if stat.S_ISREG(before.st_mode) and before.st_uid == os.geteuid():
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
    return descriptor


def _finish(file: Path, new: bool) -> None:
    name = name_new_file if new else Path.replace
    name(_unfinished(file), file)


def _drop(file: Path, _flag: bool = False) -> None:
    _unfinished(file).unlink(missing_ok=True)


_VERBS: dict[str, Callable[[Path, bool], int | None]] = {
    "open": _open,
    "refuse_existing": _refuse_existing,
    "begin": _begin,
    "finish": _finish,
    "drop": _drop,
}


def _unfinished(file: Path) -> Path:
    return file.with_name(f".{file.name}.part")


def _do(verb: str, file: Path, flag: bool = False) -> int:
    """Asks the process of root, where there is one, and returns the descriptor of what was opened."""
    connection = _root.get()
    if connection is not None:
        connection.send(b"\0".join((verb.encode(), b"1" if flag else b"", os.fsencode(file))))
        answer, descriptors, _, _ = socket.recv_fds(connection, 64, 1)
        number = int(answer or errno.EPIPE)
        if number == 0:
            return descriptors[0] if descriptors else -1
        if number != _DO_IT_YOURSELF:
            raise OSError(number, os.strerror(number), str(file))
    descriptor = _VERBS[verb](file, flag)
    return -1 if descriptor is None else descriptor


def _serve(connection: socket.socket, named: Collection[Path], owner: os.stat_result) -> None:
    """Does what the other process asks until it ends, and leaves no unfinished file behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # meant for the other one, whose end is seen here
        signal.signal(number, signal.SIG_IGN)
    begun = set[Path]()
    while request := connection.recv(_LONGEST):
        verb, flag, name = request.split(b"\0", 2)
        file, descriptor = Path(os.fsdecode(name)), None
        try:
            if file not in named or _can_be_swapped(file, owner):
                connection.send(str(_DO_IT_YOURSELF).encode())
                continue
            descriptor = _VERBS[verb.decode()](file, bool(flag))
            if verb == b"begin":
                begun.add(file)
        except OSError as error:
            connection.send(str(error.errno).encode())
            continue
        socket.send_fds(connection, [b"0"], [] if descriptor is None else [descriptor])
        if descriptor is not None:
            os.close(descriptor)
    for file in begun:
        _drop(file)


def _can_be_swapped(file: Path, owner: os.stat_result) -> bool:
    """Whether the owner of the instance can lay something else under the name, such as a link to a file of root's: it
    lies in a folder where that user may write, who reads and writes it alone then."""
    folders = set(file.absolute().parents)
    for folder in [*folders]:
        folders |= {folder.resolve(), *folder.resolve().parents}
    return any(_may_write(owner, folder.stat()) for folder in folders if folder.exists())


def _may_write(owner: os.stat_result, folder: os.stat_result) -> bool:
    if folder.st_uid == owner.st_uid:
        return True
    by_group = folder.st_gid == owner.st_gid and folder.st_mode & stat.S_IWGRP
    return bool((by_group or folder.st_mode & stat.S_IWOTH) and not folder.st_mode & stat.S_ISVTX)


# Files of the project that an installed program carries: the example of settings, and its own source.

_PACKAGE = Path(__file__).parents[2]
_CARRIED = ("README.md", "LICENSE", "pyproject.toml", "instance.example.toml", "core/release/constraints.txt")
_ROOTS = {"commensal": "core", "commensal_federation": "federation"}


def project_file(name: str) -> Path:
    """Returns a file of the project's top folder: from the wheel, or from the checkout that is installed as it is."""
    carried = _PACKAGE / "project" / name
    return carried if carried.exists() else _PACKAGE.parents[1] / name


def source_files() -> Iterator[tuple[str, Path]]:
    """Yields the path in the project and the file of all that this program is built from: the core, the federation and
    the bundled plugins. Plugins of others are their authors' to publish."""
    for name in _CARRIED:
        yield name, project_file(name)
    for package in sorted(_bundled()):
        folder = _folder_of(package)
        root = _ROOTS.get(package, "plugins")
        for file in sorted(folder.rglob("*")):
            inner = file.relative_to(folder)
            if file.is_file() and "__pycache__" not in inner.parts and inner.parts[0] != "project":
                yield f"{root}/{package}/{inner.as_posix()}", file


def _bundled() -> set[str]:
    """The packages that came with this distribution."""
    plugins = entry_points(group="commensal")
    ours = {entry.module.split(".")[0] for entry in plugins if entry.dist and entry.dist.name == "commensal"}
    return {"commensal", *ours}


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(package)
    return Path(spec.origin).parent
