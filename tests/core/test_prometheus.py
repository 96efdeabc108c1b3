"""A real Prometheus reads an instance with the files that `commensal init --monitoring` writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from commensal.hooks.breaker import Failure
from commensal.hooks.failures import note_failures
from commensal.instance import InstanceSettings, Secret
from commensal.instance.settings import WatchingSettings
from commensal.parts.backups.upkeep.upkeep import BACKUP, enqueue_once, mark_done
from commensal.parts.hosting import MONITORING, write_files
from commensal.parts.setup.begin import begin_instance
from commensal.storage.database import Store

from .processes import Processes, wait_until

SECRET = "a monitor's own secret"
# What each alert is for: the series of an instance at whose end it fires, and the minute at which it is looked for.
FIRES = {
    "CommensalUnreachable": ('up{job="commensal",instance="val"}', "0x10", "3m"),
    "CommensalDown": ('commensal_health{instance="val",status="down"}', "1x10", "2m"),
    "CommensalDegraded": ('commensal_health{instance="val",status="degraded"}', "1x20", "16m"),
    "CommensalErrors": ('commensal_requests_total{instance="val",status="500"}', "0+9x20", "15m"),
    "CommensalSlow": ('commensal_request_seconds_bucket{instance="val",le="10.0"}', "0+60x30", "25m"),
    "CommensalJobsParked": ('commensal_jobs{instance="val",state="parked"}', "0 0 3", "2m"),
    "CommensalJobsFailing": ('commensal_jobs_failing{instance="val"}', "1x90", "61m"),
    "CommensalBackupOld": ('commensal_backup_age_seconds{instance="val"}', "172801", "0m"),
    "CommensalNoBackup": ('up{job="commensal",instance="val"}', "1x3000", "2881m"),
    "CommensalPluginFails": (
        'commensal_plugin_failures_total{instance="val",plugin="pickup",hook="shipping_options"}',
        "0 0 0 4 4",
        "4m",
    ),
    "CommensalDatabaseGrows": ('commensal_database_bytes{instance="val"}', "0+1000000x4000", "3000m"),
    "CommensalMemory": ('process_resident_memory_bytes{job="commensal",instance="val"}', "950000000x40", "31m"),
}
BESIDE = {  # further series that rise alike
    "CommensalSlow": ('commensal_request_seconds_bucket{instance="val",le="+Inf"}',)
}
NEEDS_PROMETHEUS = pytest.mark.skipif(
    shutil.which("prometheus") is None and "CI" not in os.environ, reason="Prometheus is not installed"
)


@pytest.fixture
def settings() -> InstanceSettings:
    watching = WatchingSettings(secret=Secret(SECRET))
    return InstanceSettings(name="Test", base_url="http://testserver", language="en", watching=watching)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder with the files for an instance at https://val.example."""
    folder = tmp_path / "monitoring"
    folder.mkdir()
    write_files(MONITORING, tmp_path / "val", folder)
    return folder


def test_every_figure_that_alerts_and_dashboard_name_is_served(client: TestClient, store: Store, files: Path) -> None:
    with store.write() as tx:
        enqueue_once(tx, BACKUP, tx.now)
        mark_done(tx, BACKUP, tx.now)
        note_failures(tx, [Failure("pickup", "shipping_options", "it took too long", tx.now)])
    client.get("/api/me")
    served = client.get("/-/metrics", headers={"Authorization": f"Bearer {SECRET}"}).text
    json.loads((files / "commensal.dashboard.json").read_text("utf-8"))
    for name in ("commensal.rules.yml", "commensal.dashboard.json"):
        named = set(re.findall(r"\b(?:commensal|process)_\w+", (files / name).read_text("utf-8")))
        assert len(named) > 6
        assert [metric for metric in named if not re.search(rf"^{metric}\b", served, re.MULTILINE)] == []


def test_health_is_one_of_its_states_among_the_figures(client: TestClient) -> None:
    served = client.get("/-/metrics", headers={"Authorization": f"Bearer {SECRET}"}).text
    states = dict(re.findall(r'^commensal_health\{status="(\w+)"\} (\S+)$', served, re.MULTILINE))
    (state,) = (name for name, value in states.items() if value == "1.0")
    assert state == client.get("/-/health").json()["status"]
    assert sorted(states) == ["degraded", "down", "ok"]


@NEEDS_PROMETHEUS
@pytest.mark.parametrize("alert", FIRES)
def test_each_alert_fires_when_it_should(files: Path, alert: str) -> None:
    series, values, at = FIRES[alert]
    story = {
        "rule_files": ["commensal.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name in (series, *BESIDE.get(alert, ()))],
                "promql_expr_test": [
                    {
                        "expr": f'count by (alertname) (ALERTS{{alertname="{alert}",alertstate="firing"}})',
                        "eval_time": at,
                        "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}],
                    }
                ],
            }
        ],
    }
    (files / "story.yml").write_text(json.dumps(story), "utf-8")  # JSON is YAML
    result = subprocess.run(["promtool", "test", "rules", "story.yml"], cwd=files, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@NEEDS_PROMETHEUS
def test_every_alert_has_its_story(files: Path) -> None:
    assert re.findall(r"- alert: (\w+)", (files / "commensal.rules.yml").read_text("utf-8")) == list(FIRES)


@pytest.fixture
def prometheus(files: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of a Prometheus that reads a served instance."""
    begin_instance(tmp_path / "val", name="Val", base_url="https://val.example", port=0, plugins=())
    toml = tmp_path / "val" / "instance.toml"
    toml.write_text(f'{toml.read_text("utf-8")}\n[watching]\nsecret = "{SECRET}"\n', "utf-8")
    with Processes(tmp_path) as processes:
        address = processes.address(processes.web(tmp_path / "val"))
        (files / "commensal.secret").write_text(SECRET)
        configuration = (files / "commensal.prometheus.yml").read_text("utf-8")
        assert 'targets: ["commensal.example"]' in configuration
        configuration = configuration.replace("commensal.example", address.removeprefix("http://"))
        configuration = configuration.replace("scheme: https", "scheme: http").replace("30s", "1s")
        (files / "prometheus.yml").write_text(configuration, "utf-8")
        with subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", "--web.listen-address=127.0.0.1:0"],
            cwd=files,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stderr is not None
                line = next(line for line in process.stderr if "Listening on" in line)
                (port,) = re.findall(r"127\.0\.0\.1:(\d+)", line)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


@pytest.mark.long
@NEEDS_PROMETHEUS
def test_prometheus_reads_an_instance(prometheus: str) -> None:
    def known(query: str) -> list[str]:
        answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}, trust_env=False, timeout=60)
        return [row["value"][1] for row in answer.json()["data"]["result"]]

    def is_ready() -> bool:  # it listens before it reads its own store
        return httpx.get(f"{prometheus}/-/ready", trust_env=False, timeout=60).status_code == 200

    wait_until(is_ready, "Prometheus answers queries")
    wait_until(lambda: known("commensal_info") == ["1"], "Prometheus has read the instance")
    assert known('up{job="commensal"}') == ["1"]
    assert known("sum(commensal_health)") == ["1"]
    rules = httpx.get(f"{prometheus}/api/v1/rules", trust_env=False, timeout=60).json()["data"]["groups"][0]["rules"]
    assert [rule["name"] for rule in rules] == list(FIRES)
