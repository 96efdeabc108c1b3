"""Runs commands as the user who owns the instance's folder, also if root calls them.

Files that root writes there (the files beside a SQLite database, a new key, a backup) would be unreadable for the
service, which would then fail unnoticed. Templates and settings of that folder are the owner's, so what they make a
command do must not be done as root either: a command gives the rights of root up for good. Files that it names are
opened by `named_files`.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from ..base.errors import Trouble


def other_owner(folder: object) -> os.stat_result | None:
    """The state of `folder` where root types a command and the folder is another user's."""
    if os.geteuid() != 0 or not isinstance(folder, Path) or not folder.is_dir() or folder.stat().st_uid == 0:
        return None
    return folder.stat()


@contextmanager
def as_owner(folder: object, *, for_good: bool = False) -> Iterator[None]:
    """In the block, root acts as the owner of `folder`, and with `for_good` until the process ends; other users stay
    who they are. Nothing changes if the folder belongs to root or does not exist yet. Raises `Trouble` if the owner
    cannot read the files of this program."""
    owner, groups = other_owner(folder), os.getgroups()
    if owner is None or not isinstance(folder, Path):
        yield
        return
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
