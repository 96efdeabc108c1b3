"""Runs commands as the user who owns the instance's folder, also if root calls them.

Files that root writes there (the files beside a SQLite database, a new key, a backup) would be unreadable for the
service, which would then fail unnoticed. Templates and settings of that folder are the owner's, so what they make a
command do must not be done as root either: a command gives the rights of root up for good. Files that it names are
opened by `named_files`. A command that needs root to its end, such as one that stops services, leaves what belongs to
the instance to other processes: `ask_as_owner`.
"""

from __future__ import annotations

import os
import pwd
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from ...base.converting import decode_json
from ...base.errors import CommensalError, Trouble
from ...storage.database.errors import DATABASE_ERRORS, database_message
from ..terminal import shell

Answer = TypeVar("Answer")
_LONGEST = 65_536  # bytes of an answer


def other_owner(folder: object) -> os.stat_result | None:
    """The state of `folder` where root types a command and the folder is another user's."""
    if os.geteuid() != 0 or not isinstance(folder, Path) or not folder.is_dir() or folder.stat().st_uid == 0:
        return None
    return folder.stat()


@contextmanager
def as_owner(folder: object) -> Iterator[None]:
    """From the block on, until this process ends, root is the owner of `folder`; other users stay who they are. Nothing
    changes if the folder belongs to root or does not exist yet. Raises `Trouble` if the owner cannot read the files of
    this program."""
    owner = other_owner(folder)
    if owner is None or not isinstance(folder, Path):
        yield
        return
    try:
        name = pwd.getpwuid(owner.st_uid).pw_name
        os.initgroups(name, owner.st_gid)
    except KeyError:  # a user id without a name, as in containers
        name = str(owner.st_uid)
        os.setgroups([owner.st_gid])
    os.setresgid(*(owner.st_gid,) * 3)
    os.setresuid(*(owner.st_uid,) * 3)
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


def ask_as_owner(folder: Path, function: Callable[[], Answer], kind: Any) -> Answer:
    """Returns what `function` returns. Root has it run in a process that has become the owner of `folder` for good, and
    takes over nothing of it but one JSON value of the type `kind`.

    Raises what `function` raises; from another process, `Trouble` with the same text.
    """
    if other_owner(folder) is None:
        return function()
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _answer(writing, folder, function)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read(_LONGEST)
    _, status = os.waitpid(process, 0)
    if code := os.waitstatus_to_exitcode(status):
        if reason := answer.decode(errors="replace"):
            raise Trouble(reason)
        raise Trouble("A process of the owner of {folder} ended with {code}.", folder=folder, code=code)
    try:
        value: Answer = decode_json(answer, kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Trouble("A process of the owner of {folder} has answered: {error}", folder=folder, error=error) from error
    return value


def _answer(writing: int, folder: Path, function: Callable[[], object]) -> NoReturn:
    """Ends this process with 0 and the answer, or with 1 and the text of an error."""
    code = 1
    try:
        with os.fdopen(writing, "wb") as stream:
            try:
                with as_owner(folder):
                    answer = msgspec.json.encode(function())
                code = 0
            except DATABASE_ERRORS as error:
                reason = shell.told(database_message(error))
                answer = shell.spoken("The database does not answer: {error}", error=reason).encode()
            except (CommensalError, OSError) as error:
                answer = shell.told(error).encode()
            stream.write(answer)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)
