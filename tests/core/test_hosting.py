"""Units, proxies and a container for an instance: the texts that `commensal init` prints work unchanged."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient
from typer.testing import CliRunner

from commensal.base.errors import SettingsError
from commensal.instance import Instance, InstanceSettings, load_settings, open_instance
from commensal.instance.settings import MailSettings
from commensal.parts.cli import app
from commensal.parts.hosting import UNITS, write_text
from commensal.parts.serving.app import make_app
from commensal.parts.serving.work import answering
from commensal.parts.setup.begin import begin_instance
from commensal.storage.database import Store
from commensal.storage.jobs.clock import EVERY_MINUTE
from commensal.storage.jobs.tables import job_slot

from .composing import COMPOSE, scripts_of_containers

YUNOHOST = Path(__file__).parents[2] / "core" / "install" / "yunohost"
STATE_FOLDER = "/var/lib/commensal-of-this-suite/val"  # a folder that systemd creates; no real instance uses it


def run_init(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["init", "--instance", str(folder), *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def service(text: str) -> dict[str, str]:
    """Returns the section [Service] of a unit."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(text)
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    return dict(unit["Service"])


def test_units_are_printed_without_a_question_and_nothing_is_made(tmp_path: Path) -> None:
    text = run_init(tmp_path / "val", "--systemd")
    assert text.count("[Service]") == 2
    assert not (tmp_path / "val").exists()


def test_texts_are_written_as_files_and_none_is_overwritten(tmp_path: Path) -> None:
    words = ["--instance", "/srv/val", "--systemd", "--into", str(tmp_path)]
    assert run_init(tmp_path, *words[2:]).count("Wrote ") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["commensal-work.service", "commensal.service"]
    with pytest.raises(SettingsError, match="there is such a file already"):
        CliRunner().invoke(app, ["init", *words], catch_exceptions=False)
    with pytest.raises(SettingsError, match="say what to write there"):
        CliRunner().invoke(app, ["init", "--into", str(tmp_path)], catch_exceptions=False)


def test_a_timer_upgrades_every_week_what_needs_no_person(tmp_path: Path) -> None:
    run_init(Path("/srv/val"), "--weekly-upgrades", "--into", str(tmp_path))
    text = (tmp_path / "commensal-upgrade.service").read_text("utf-8")
    assert "/commensal upgrade latest --unattended --instance /srv/val\n" in text
    assert "OnCalendar=" in (tmp_path / "commensal-upgrade.timer").read_text("utf-8")
    with pytest.raises(SettingsError, match="choose a plain one"):
        write_text("upgrade.service", Path("/srv/two words"))


def test_units_for_any_instance_leave_its_name_open(tmp_path: Path) -> None:
    begin_instance(tmp_path / "val", name="Val", backups=tmp_path / "disk" / "val", plugins=())
    text = write_text("commensal-work@", tmp_path / "val")
    settings = service(text)
    assert settings["ExecStart"].endswith(f"/commensal work --instance {tmp_path}/%i")
    assert f"\nReadWritePaths={tmp_path}/%i\nReadWritePaths=-{tmp_path}/disk/%i\n" in text
    assert service(write_text("commensal@", Path(STATE_FOLDER)))["StateDirectory"].endswith("of-this-suite/%i")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_no_roots_and_writes_only_into_its_folder(unit: str) -> None:
    settings = service(write_text(unit, Path("/srv/val")))
    assert (settings["User"], settings["NoNewPrivileges"], settings["CapabilityBoundingSet"]) == (
        "commensal",
        "yes",
        "",
    )
    assert (settings["ProtectSystem"], settings["ReadWritePaths"], settings["UMask"]) == ("strict", "/srv/val", "0077")
    assert (settings["Restart"], settings["MemoryMax"]) == ("on-failure", "75%"), "the service ends, not the machine"
    assert settings["ExecStart"].split()[1:] == [*UNITS[unit][1].split(), "--instance", "/srv/val"]
    assert "LoadCredential" not in settings, "that is an example"


def test_a_unit_lets_the_worker_ask_the_kernel_whether_the_clock_is_right() -> None:
    """A filter that refuses adjtimex kills it every few seconds, and systemd starts it anew: seen on a real Debian."""
    yunohost = [file.read_text("utf-8") for file in YUNOHOST.glob("conf/*.service")]
    assert len(yunohost) == len(UNITS)
    for text in (*(write_text(unit, Path("/srv/val")) for unit in UNITS), *yunohost):
        filters = [line for line in text.splitlines() if line.startswith(("SystemCall", "ProtectClock"))]
        assert filters[-3:] == [
            "SystemCallFilter=~@privileged @resources",
            "SystemCallFilter=adjtimex clock_adjtime",
            "SystemCallErrorNumber=EPERM",
        ]
        assert "ProtectClock=yes" not in filters


def test_a_folder_of_var_lib_is_made_by_systemd_and_one_at_home_can_be_seen() -> None:
    settings = service(write_text("commensal", Path(STATE_FOLDER)))
    assert (settings["StateDirectory"], settings["StateDirectoryMode"]) == ("commensal-of-this-suite/val", "0700")
    assert "ReadWritePaths" not in settings
    assert service(write_text("commensal", Path("/home/marie/val")))["ProtectHome"] == "read-only"


def test_the_worker_may_write_backups_and_the_web_server_may_not(tmp_path: Path) -> None:
    begin_instance(tmp_path / "val", name="Val", backups=tmp_path / "disk", plugins=())
    text = write_text("commensal-work", tmp_path / "val")
    assert f"\nReadWritePaths={tmp_path / 'val'}\nReadWritePaths=-{tmp_path / 'disk'}\n" in text
    assert "disk" not in write_text("commensal", tmp_path / "val")


def test_a_path_that_systemd_would_misread_is_refused() -> None:
    for path in ("/srv/two words", "/srv/100%", "/srv/a;b"):
        with pytest.raises(SettingsError, match="choose a plain one"):
            write_text("commensal", Path(path))


ANALYZE = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ, reason="systemd is not installed"
)


def analyze(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs systemd-analyze. Where systemd does not run, it makes its folder below /run, which only root may: anybody
    else asks it as the manager of a user, whose folder may stand anywhere."""
    is_possible = os.geteuid() == 0 or Path("/run/systemd").is_dir()
    own = {} if is_possible else {"XDG_RUNTIME_DIR": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path)}
    command = ["systemd-analyze", *([] if is_possible else ["--user"]), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **own})


@ANALYZE
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_calls_a_unit_well_confined(tmp_path: Path, unit: str) -> None:
    file = tmp_path / f"{unit}.service"
    file.write_text(write_text(unit, Path("/srv/val")))
    result = analyze(tmp_path, "security", "--offline=yes", "--no-pager", "--threshold=20", str(file))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Overall exposure level" in result.stdout


@ANALYZE
@pytest.mark.parametrize("folder", ["/srv/val", STATE_FOLDER])
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path, unit: str, folder: str) -> None:
    file = tmp_path / f"{unit}.service"
    file.write_text(write_text(unit, Path(folder)))
    assert [line for line in analyze(tmp_path, "verify", str(file)).stderr.splitlines() if file.name in line] == []


@ANALYZE
def test_systemd_finds_what_is_wrong_with_a_unit(tmp_path: Path) -> None:
    """Whoever runs the suite: a check that cannot begin would find nothing either."""
    file = tmp_path / "commensal.service"
    text = write_text("commensal", Path("/srv/val"))
    file.write_text(text.replace("ProtectSystem=strict", "ProtectSystem=sometimes"))
    assert "commensal.service" in analyze(tmp_path, "verify", str(file)).stderr


@pytest.fixture
def val(tmp_path: Path) -> Path:
    begin_instance(tmp_path / "val", name="Val", base_url="https://val.example", port=8123, plugins=())
    return tmp_path / "val"


def test_a_proxy_leads_to_the_instance_and_says_truly_who_asks(val: Path) -> None:
    caddy, nginx = run_init(val, "--proxy", "caddy"), run_init(val, "--proxy", "nginx")
    assert "val.example {" in caddy
    assert "reverse_proxy 127.0.0.1:8123" in caddy
    assert "proxy_pass http://127.0.0.1:8123;" in nginx
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in nginx
    for text in (caddy, nginx):
        assert text.count("{") == text.count("}")
        assert "127.0.0.1, ::1" in text
        assert not any(f"{{{name}}}" in text for name in ("host", "listens", "proxies"))


def test_a_container_runs_as_an_ordinary_user(val: Path) -> None:
    lines = run_init(val, "--container").splitlines()
    assert lines.index("USER 10001") < lines.index('ENTRYPOINT ["commensal"]')
    assert not any(line.startswith("USER") and "root" in line for line in lines)


def test_a_container_is_healthy_on_whichever_port_its_instance_answers(
    instance: Instance, store: Store, tmp_path: Path
) -> None:
    """And says why if not: here also where `setup` of compose.yaml has left the reason."""
    (line,) = (line for line in write_text("container", Path("/srv/val")).splitlines() if line.startswith("HEALTH"))
    command = json.loads(line.removeprefix("HEALTHCHECK CMD "))

    def healthy() -> str:
        with answering(instance, 0) as port:
            environment = {**os.environ, "COMMENSAL_SERVER__PORT": str(port)}
            result = subprocess.run(
                [sys.executable, *command[1:]],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        return f"{result.returncode} {result.stdout}{result.stderr}"

    assert healthy() == "0 ok\n"
    with store.write() as tx:
        tx.execute(insert(job_slot).values(name=EVERY_MINUTE, slot=tx.now - timedelta(hours=1)))
    assert healthy() == "1 degraded\n"
    (tmp_path / ".failed").write_text("Nothing serves")
    assert healthy() == "1 Nothing serves\n"


def test_a_container_that_crashes_is_started_anew_whatever_the_others_do() -> None:
    """podman restarts none that depends on one that is stopped."""
    compose = COMPOSE.read_text("utf-8")
    assert compose.count("restart: unless-stopped") == 2, "the proxy, and what both others share"
    assert "depends_on:" not in compose


@pytest.mark.long
def test_containers_that_cannot_be_set_up_say_why_after_three_tries_and_serve_once_they_can(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    write_tool(tmp_path, "sleep", "echo pause $1; [ $1 != 300 ] || kill $PPID")
    environment = {
        "PATH": f"{tmp_path}/tools:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COMMENSAL_NAME": "Val",
        "COMMENSAL_BASE_URL": "https://val.example",
        "COMMENSAL_LANGUAGE": "fr",
        "COMMENSAL_TIMEZONE": "Valbourg",
        "COMMENSAL_MAIL__SENDER": "val@example.org",
        "OPERATOR": "marie@val.example",
    }

    def run(service: str) -> subprocess.CompletedProcess[str]:
        words = ["sh", "-euc", scripts_of_containers()[service]]
        return subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    web = run("web")
    assert web.stdout.split() == ["pause", "5", "pause", "10", "pause", "0", "pause", "300"]
    assert web.stderr.count("'Valbourg' is not an IANA time zone") == 4, "at each try, and in the end"
    assert "Nothing serves, since this has failed three times" in web.stderr
    write_tool(tmp_path, "sleep", "kill $PPID")
    worker = run("worker")
    assert worker.returncode == -signal.SIGTERM, "it waits"
    assert worker.stderr
    assert worker.stderr in web.stderr
    write_tool(tmp_path, "commensal", 'echo "$@"')  # nothing fails any more
    assert run("web").stdout.endswith("serve --no-jobs --instance val\n")
    assert (run("worker").stdout, run("worker").stderr) == ("work --port 8000 --instance val\n", "")
    write_tool(tmp_path, "commensal", "exit 3")
    write_tool(tmp_path, "sleep", "[ $1 != infinity ] || kill $PPID")
    assert run("web").returncode == -signal.SIGTERM, "an upgrade that stopped half-way waits for a person"


def write_tool(folder: Path, name: str, script: str) -> None:
    (folder / "tools" / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / "tools" / name).chmod(0o755)


@pytest.mark.bundled
def test_init_asks_what_it_is_not_told(tmp_path: Path) -> None:
    answers = "Val\n\nen\n\n\n"
    result = CliRunner().invoke(app, ["init", "--instance", str(tmp_path / "val")], input=answers)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "val" / "instance.toml").read_text()
    assert 'name = "Val"' in text
    assert 'language = "en"' in text
    assert 'timezone = "Europe/Paris"' in text


@pytest.mark.bundled
def test_init_checks_each_answer_before_it_asks_for_the_next(tmp_path: Path) -> None:
    answers = "Val\nhttps://val.example\nGerman\nfr\nNowhere\nEurope/Paris\nmarie\n\n"
    result = CliRunner().invoke(app, ["init", "--instance", str(tmp_path / "val")], input=answers)
    assert result.exit_code == 0, result.output
    assert result.output.index("language: ") < result.output.index("Which time zone?")
    assert result.output.index("not an IANA time zone") < result.output.index("From which address")
    assert "'marie' is not an e-mail address" in result.output
    assert load_settings(tmp_path / "val").sender == "commensal@val.example"


@pytest.mark.bundled
def test_init_asks_who_runs_the_instance_and_they_log_in_and_begin_a_hub(tmp_path: Path) -> None:
    folder = tmp_path / "val"
    person = "marie\nmarie@example.org\npassword1234\npassword1234\nun mot de passe long\nun mot de passe long\n"
    result = CliRunner().invoke(app, ["init", "--instance", str(folder)], input=f"Val\n\nen\n\n\n{person}")
    assert result.exit_code == 0, result.output
    assert "marie is not an e-mail address" in result.output
    assert result.output.count("Password:") == 2, "the first is too easy to guess"
    assert result.output.endswith("begins the first hub at http://127.0.0.1:8000/office\n")
    with open_instance(folder) as instance, TestClient(make_app(instance), base_url="http://127.0.0.1:8000") as client:
        client.headers["Origin"] = "http://127.0.0.1:8000"
        log_in = {"email": "marie@example.org", "password": "un mot de passe long"}
        assert client.post("/api/sessions", json=log_in).status_code == 201
        assert client.get("/office/new").status_code == 200


@pytest.mark.bundled
@pytest.mark.parametrize("answer", ["\n", ""], ids=["Enter", "the end of the input"])
def test_init_says_how_later_where_nobody_is_named(tmp_path: Path, answer: str) -> None:
    folder = tmp_path / "val"
    result = CliRunner().invoke(app, ["init", "--instance", str(folder)], input=f"Val\n\nen\n\n\n{answer}")
    assert result.exit_code == 0, result.output
    assert f"commensal user ADDRESS --operator --instance {folder}" in result.output
    assert load_settings(folder).name == "Val"


@pytest.mark.parametrize(
    "words", [("--timezone", "Nowhere"), ("--language", "German"), ("--sender", "marie"), ("--plugin", "nonsense")]
)
def test_init_asks_nothing_where_what_it_is_told_cannot_be(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["init", "--instance", str(tmp_path / "val"), *words], input="Val\n\n\n\n\n\n")
    assert isinstance(result.exception, SettingsError)
    assert "What do people call" not in result.output
    assert not (tmp_path / "val").exists()


def test_init_asks_nothing_where_there_is_an_instance(val: Path) -> None:
    result = CliRunner().invoke(app, ["init", "--instance", str(val)], input="Val\n\n\n\n\n")
    assert isinstance(result.exception, SettingsError)
    assert result.output == ""


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("https://val.example/shop", "commensal@val.example"),
        ("http://127.0.0.1:8000", "commensal@localhost"),
        ("http://[::1]:8000", "commensal@localhost"),
        ("http://", "commensal@localhost"),
    ],
)
def test_e_mails_come_from_the_host_of_the_address_unless_a_sender_is_set(address: str, sender: str) -> None:
    assert InstanceSettings(name="Val", base_url=address).sender == sender
    assert (
        InstanceSettings(name="Val", base_url=address, mail=MailSettings(sender="a@b.example")).sender == "a@b.example"
    )


@pytest.mark.parametrize(
    ("address", "port"),
    [("http://127.0.0.1:8123", 8123), ("https://val.example", 8000), ("https://val.example:8443", 8000)],
)
def test_an_instance_listens_where_its_address_says_unless_a_proxy_stands_before_it(
    tmp_path: Path, address: str, port: int
) -> None:
    begin_instance(tmp_path / "val", name="Val", base_url=address, plugins=())
    assert load_settings(tmp_path / "val").server.port == port
