"""What a killed process had claimed is done at once by the next one with its folder, and by nobody else.

The killed processes are real: ``commensal work``, which kills itself as by ``kill -9`` once it has claimed a job.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from commensal.instance import Instance, open_instance
from commensal.storage.jobs import Job, Work, enqueue, workers
from commensal.storage.jobs.failed import failed_jobs
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.run import run_due
from commensal.storage.jobs.tables import job

from .keeping import write_settings
from .processes import KILLED, Processes

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)  # it is due before whatever a worker finds to do

# Works on one job of the instance until its input ends; or does what it finds to do. Says its number, and what it did.
CONTAINER = """
import os, sys
from pathlib import Path
from commensal.instance import open_instance
from commensal.storage.jobs import Work
from commensal.storage.jobs.periodic import tick
from commensal.storage.jobs.workers import named_worker

def act(_, job):
    print(os.getpid(), job.attempts, flush=True)
    if sys.argv[2] == "stay":
        sys.stdin.read()

with open_instance(Path(sys.argv[1])) as instance, named_worker(instance):
    print("begins", flush=True)
    tick(instance, Work({"mail": act}))
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path) as processes:
        yield processes


@pytest.fixture
def folder(tmp_path: Path, database_url: str) -> Path:
    """The folder of an instance with a job to do."""
    folder = tmp_path / "val"
    write_settings(folder, database_url)
    with open_instance(folder) as instance, instance.store.write() as tx:
        enqueue(tx, "mail", {}, due_at=LONG_AGO)
    return folder


def die_at_it(processes: Processes, folder: Path) -> None:
    assert processes.work(folder, failpoint="job.claimed:1").wait(60) == KILLED


def tries(folder: Path) -> list[int]:
    """Does what is due, as the next process with this folder. Returns the tries at which it found the job."""
    attempts: list[int] = []
    with open_instance(folder) as instance:
        tick(instance, Work({"mail": lambda _, job: attempts.append(job.attempts)}))
    return attempts


def test_what_a_killed_process_had_claimed_is_done_at_once(folder: Path, processes: Processes) -> None:
    die_at_it(processes, folder)
    assert tries(folder) == [2]
    assert list((folder / workers.FOLDER).iterdir()) == []


@pytest.mark.parametrize("host", ["caf\udce9", ".hidden", "../../elsewhere"])
def test_whatever_the_machine_is_called_its_processes_have_a_name(
    folder: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of a machine is any bytes, as a container is given them."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    attempts: list[int] = []
    with open_instance(folder) as instance, workers.named_worker(instance):
        assert run_due(instance, Work({"mail": lambda _, claimed: attempts.append(claimed.attempts)}))
        assert [file.name for file in (folder / workers.FOLDER).glob("[!.]*")] == [instance.store.worker]
    assert attempts == [1]


def test_what_a_living_process_works_on_is_left_to_it(folder: Path, processes: Processes) -> None:
    attempts: list[int] = []

    def act(instance: Instance, claimed: Job) -> None:
        attempts.append(claimed.attempts)
        assert processes.begin(folder, "work", "--once").wait(60) == 0

    with open_instance(folder) as instance:
        with workers.named_worker(instance):
            assert run_due(instance, Work({"mail": act}))
        with instance.store.read() as tx:
            row = tx.one(select(job.c.state, job.c.attempts).where(job.c.due_at == LONG_AGO))
    assert attempts == [1]
    assert (row["state"], row["attempts"]) == ("done", 1)


def test_another_folder_with_the_same_database_says_nobody_dead(
    folder: Path, database_url: str, processes: Processes, tmp_path: Path
) -> None:
    """As another machine has it; also one whose folder was copied when the process was dead already."""
    second, copied = tmp_path / "second", tmp_path / "copied"
    write_settings(second, database_url)
    die_at_it(processes, folder)
    shutil.copytree(folder, copied, ignore=shutil.ignore_patterns("*.db*"))
    assert [*(copied / workers.FOLDER).iterdir()] != []
    assert (tries(second), tries(copied)) == ([], [])
    assert tries(folder) == [2]


def test_after_a_new_start_of_the_machine_only_a_file_of_sqlite_has_no_other_users(
    folder: Path, database_url: str, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder on a disk of the network, or one that was copied as a whole disk, looks like that too."""
    die_at_it(processes, folder)
    (tmp_path / "boot_id").write_text("another")
    monkeypatch.setattr(workers, "_BOOT", tmp_path / "boot_id")
    assert tries(folder) == ([2] if database_url.startswith("sqlite") else [])


def test_containers_whose_processes_have_the_same_number_are_told_apart(folder: Path) -> None:
    container = partial(
        subprocess.Popen, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    command = ["unshare", "--pid", "--fork", "--kill-child", sys.executable, "-c", CONTAINER, str(folder)]
    with container([*command, "stay"]) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        if first.stdout.readline() != "begins\n":
            pytest.skip("namespaces of processes need root, and `unshare` of util-linux")
        number, attempt = first.stdout.readline().split()
        assert attempt == "1"
        assert container([*command, "do"]).communicate(timeout=60)[0] == "begins\n"
        first.kill()  # and with it the process in the container
        first.wait(60)
        assert container([*command, "do"]).communicate(timeout=60)[0].splitlines()[-1] == f"{number} 2"


def test_a_job_that_kills_its_process_does_not_do_so_without_end(folder: Path, processes: Processes) -> None:
    with open_instance(folder) as instance, instance.store.write() as tx:
        tx.execute(update(job).values(attempts=3))  # as after three deaths
    die_at_it(processes, folder)
    assert tries(folder) == []
    with open_instance(folder) as instance, instance.store.read() as tx:
        (failed,) = failed_jobs(tx)
        assert (failed.state, failed.error) == ("waiting", "The process that worked on it has ended.")
        assert 0 < (failed.due_at - tx.now).total_seconds() <= 60
