"""Runs commands as the user who owns the instance's folder, also if root calls them.

Files that root writes there (the files beside a SQLite database, a new key, a backup) would be unreadable for the
service, which would then fail unnoticed. Templates and settings of that folder are the owner's, so what they make a
command do must not be done as root either: unless the command line names files, root gives its rights up for good.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypedDict

from ..base.errors import Trouble


@contextmanager
def as_owner(folder: object, *, for_good: bool = False) -> Iterator[None]:
    """In the block, root acts as the owner of `folder`, and with `for_good` until the process ends; other users stay
    who they are. Nothing changes if the folder belongs to root or does not exist yet. Raises `Trouble` if the owner
    cannot read the files of this program."""
    if os.geteuid() != 0 or not isinstance(folder, Path) or not folder.is_dir() or folder.stat().st_uid == 0:
        yield
        return
    owner, groups = folder.stat(), os.getgroups()
    try:
        name = pwd.getpwuid(owner.st_uid).pw_name
        os.initgroups(name, owner.st_gid)
    except KeyError:  # a user id without a name, as in containers
        name = str(owner.st_uid)
        os.setgroups([owner.st_gid])
    if for_good:
        os.setresgid(*(owner.st_gid,) * 3)
        os.setresuid(*(owner.st_uid,) * 3)
    else:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    try:
        for file in (os.__file__, __file__):
            if not os.access(file, os.R_OK, effective_ids=True):
                text = "{folder} belongs to {name}, who cannot read {file}: install Commensal where that user can."
                raise Trouble(text, folder=folder, name=name, file=file)
        yield
    except PermissionError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)).absolute().is_relative_to(folder.absolute()):
            raise
        text = (
            "{file}: root runs this as {name}, who owns {folder} and may not use that file. Name a file in a folder of "
            "{name}, like {folder}."
        )
        raise Trouble(text, file=os.fsdecode(error.filename), name=name, folder=folder) from error
    finally:
        if not for_good:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)


class ChildIds(TypedDict, total=False):
    user: int
    group: int


def ids_of_child() -> ChildIds:
    """What `subprocess` is told within `as_owner`, so that the program it starts cannot become root again."""
    if os.getuid() == os.geteuid():
        return {}
    return {"user": os.geteuid(), "group": os.getegid()}


@contextmanager
def as_caller() -> Iterator[None]:
    """In the block, root is root again within `as_owner`, to read or write a file that the command line names: it may
    lie where the owner of the instance may not, such as in /root. Other users stay who they are."""
    user, group = os.geteuid(), os.getegid()
    if os.getuid() != 0 or user == 0:
        yield
        return
    os.seteuid(0)
    os.setegid(0)
    try:
        yield
    finally:
        os.setegid(group)
        os.seteuid(user)


@contextmanager
def file_of_caller(
    file: Path, *, private: bool = False, name: Callable[[Path, Path], object] = Path.replace
) -> Iterator[IO[bytes]]:
    """A stream into a file that the command line names; it belongs to whoever typed the command, and appears complete
    or not at all. In the block, root is the owner of the instance's folder as before.

    private: nobody else may read it
    name:    gives the finished file, its first argument, the name that is its second
    """
    unfinished = file.with_name(f".{file.name}.part")
    with as_caller():
        special = file.open("wb") if file.exists() and not file.is_file() else None  # /dev/stdout, or a pipe
    if special is not None:
        with special:
            yield special
        return
    with as_caller():
        unfinished.unlink(missing_ok=True)  # of a killed command
        # Never through a link that somebody else has laid there.
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with os.fdopen(descriptor, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        with as_caller():
            name(unfinished, file)
    finally:
        with as_caller():
            unfinished.unlink(missing_ok=True)
