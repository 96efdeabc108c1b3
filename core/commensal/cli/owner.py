"""Commands run as the user who owns the instance's folder, also when root types them.

What root writes there (the files beside an SQLite database, a new key, a backup) the service could not read, and it
would fail where nobody looks.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..base.errors import Trouble


@contextmanager
def as_owner(folder: object) -> Iterator[None]:
    """Until the block ends, root acts as the owner of `folder`; everybody else as they are. Nothing changes where it
    is root's, or not there yet. Raises `Trouble` where the owner cannot read this program."""
    if os.geteuid() != 0 or not isinstance(folder, Path) or not folder.is_dir() or folder.stat().st_uid == 0:
        yield
        return
    found, groups = folder.stat(), os.getgroups()
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
        os.initgroups(name, found.st_gid)
    except KeyError:  # a number alone, as in containers
        name = str(found.st_uid)
        os.setgroups([found.st_gid])
    os.setegid(found.st_gid)
    os.seteuid(found.st_uid)
    try:
        for file in (os.__file__, __file__):
            if not os.access(file, os.R_OK, effective_ids=True):
                text = "{folder} belongs to {name}, who cannot read {file}: install Commensal where that user can."
                raise Trouble(text, folder=folder, name=name, file=file)
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
