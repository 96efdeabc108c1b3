"""Tells whether a process that claimed a job is alive, and gives the jobs of a dead one back at once.

A process that works has a file of its own in the folder ``workers`` of its instance, and the kernel locks it until the
process ends, however it ends. A job names the file of the process that has claimed it. So it is the kernel that says
who is dead: the number of a process may belong to another one by now, or to one in another container.

Only a process with the same folder sees that file. One with another folder, as on another machine that shares a
database server, waits until the claim ends by itself. A copy of the folder has copies of the files, which nobody locks:
each says at which start of the machine it was made, and where on the disk it lay.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import bindparam, select

from ..database import Transaction
from .run import DELAYS, UPDATE_CLAIMED
from .tables import job

if TYPE_CHECKING:
    from ...instance import Instance


FOLDER = "workers"
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # of the machine, the same in all its containers
_AT_ONCE = 3  # deaths in a row; the job itself may be what kills the process, and must not do so without end
_DIED = "The process that worked on it has ended."
_CLAIMED = (
    select(job.c.id, job.c.attempts)
    .where(job.c.state == "running", job.c.claimed_by == bindparam("name"))
    .order_by(job.c.id)
)
_log = structlog.get_logger("commensal.jobs")


@contextmanager
def named_worker(instance: Instance) -> Iterator[None]:
    """Names this process in the claims of the instance until the block ends, and holds its file.

    Where no such file can be made, claims name nobody, and end by themselves alone.
    """
    name = f"{os.getpid()}-{instance.ids.new(instance.clock.now())}"
    file = instance.folder / FOLDER / name
    try:
        descriptor = _hold(file)
    except OSError as error:
        _log.warning("the jobs of this process cannot be given back if it dies", file=str(file), why=str(error))
        yield
        return
    previous, instance.store.worker = instance.store.worker, name
    try:
        yield
    finally:
        instance.store.worker = previous
        file.unlink(missing_ok=True)
        os.close(descriptor)


def _hold(file: Path) -> int:
    """Makes the file and locks it. Another process may find it in between, and take it away: then it says nothing."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, _place(descriptor, _boot()).encode())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def give_back_of_dead(instance: Instance) -> None:
    """Gives back the jobs of each process with the same folder that has ended without doing so."""
    try:
        files = [Path(entry.path) for entry in os.scandir(instance.folder / FOLDER)]
    except OSError:  # no process has ever worked here
        return
    for file in files:
        with (
            suppress(FileNotFoundError, BlockingIOError),
            _of_dead(file) as descriptor,
        ):  # another was quicker; it lives
            if _is_proof(instance, descriptor):
                instance.store.transact(partial(_give_back, name=file.name))
            file.unlink(missing_ok=True)


@contextmanager
def _of_dead(file: Path) -> Iterator[int]:
    """The file, held. Raises `BlockingIOError` if its process is alive."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_proof(instance: Instance, descriptor: int) -> bool:
    """Whether the file is the one that the process held, and not a copy. Only one machine can use a file of SQLite, so
    there the start of the machine does not matter."""
    content, boot = os.read(descriptor, 200).decode(errors="replace"), _boot()
    if instance.store.engine.dialect.name == "sqlite":
        boot = content.partition(" ")[0]
    return bool(boot) and content == _place(descriptor, boot)


def _place(descriptor: int, boot: str) -> str:
    return f"{boot} {os.fstat(descriptor).st_ino}"


def _boot() -> str:
    """The start of the machine; "" where the kernel does not tell."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


def _give_back(tx: Transaction, name: str) -> None:
    """Makes the jobs of this process due again: after some deaths as late as after failures, and parks them at last."""
    for row in tx.all(_CLAIMED, {"name": name}):
        deaths = row["attempts"] - _AT_ONCE
        change: dict[str, object] = {"state": "waiting", "claimed_until": None}
        if deaths > len(DELAYS):
            change = {"state": "parked", "error": _DIED}
        elif deaths > 0:
            change |= {"error": _DIED, "due_at": tx.now + DELAYS[deaths - 1]}
        tx.change(UPDATE_CLAIMED, {"job": row["id"], "attempt": row["attempts"], **change})
        _log.warning("a job of a process that has ended is given back", job=row["id"], attempt=row["attempts"])
