"""Settings from the environment, and a first operator without a terminal: how containers are set up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from commensal.base.errors import SettingsError
from commensal.base.reading import read_settings, with_environment
from commensal.instance import InstanceSettings, load_settings, open_instance
from commensal.parts.cli import app
from commensal.parts.serving.app import make_app
from commensal.parts.setup.begin import begin_instance


def test_variables_stand_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_instance(tmp_path / "val", name="Val", sender="a@val.example", plugins=())
    for variable, text in {
        "COMMENSAL_NAME": "12",
        "COMMENSAL_SERVER__PORT": "8123",
        "COMMENSAL_SERVER__TRUSTED_PROXIES": '["10.0.0.2"]',
        "COMMENSAL_MAIL__PASSWORD": "true",
        "COMMENSAL_TEST_SCHEDULES": "1",
        "OTHER_NAME": "not ours",
    }.items():
        monkeypatch.setenv(variable, text)
    settings = load_settings(tmp_path / "val")
    assert settings.name == "12", "a text stays a text"
    assert settings.server.port == 8123
    assert settings.server.trusted_proxies == ("10.0.0.2",)
    assert settings.mail.password.reveal() == "true"
    assert settings.mail.sender == "a@val.example", "what no variable names is that of the file"


def test_settings_of_plugins_come_from_variables_too() -> None:
    variables = {"COMMENSAL_PLUGINS__ENABLED": '["shop"]', "COMMENSAL_PLUGINS__STRIPE__SECRET_KEY": "sk_live_1"}
    values = with_environment(InstanceSettings, {"plugins": {"enabled": []}}, variables)
    assert values == {"plugins": {"enabled": ["shop"], "stripe": {"secret_key": "sk_live_1"}}}


@pytest.mark.parametrize("variable", ["COMMENSAL_MAIL__HOTS", "COMMENSAL_MALI__HOST", "COMMENSAL_MAIL__HOST__NAME"])
def test_a_variable_that_is_no_setting_is_named(variable: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}, in the environment: there is no setting mail|mali"):
        with_environment(InstanceSettings, {}, {variable: "smtp.example"})


def test_a_value_of_the_wrong_kind_is_refused_as_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_instance(tmp_path / "val", name="Val", plugins=())
    monkeypatch.setenv("COMMENSAL_SERVER__PORT", "eight thousand")
    with pytest.raises(SettingsError, match=r"server\.port: expected `int`, got `str`"):
        load_settings(tmp_path / "val")


@pytest.mark.bundled
def test_the_first_operator_sets_a_password_by_a_link_that_works_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMENSAL_NAME", "Val")
    monkeypatch.setenv("COMMENSAL_BASE_URL", "http://testserver")
    monkeypatch.setenv("COMMENSAL_LANGUAGE", "en")
    monkeypatch.setenv("COMMENSAL_TIMEZONE", "Europe/Paris")
    monkeypatch.setenv("COMMENSAL_MAIL__SENDER", "a@val.example")
    folder = tmp_path / "val"
    monkeypatch.setenv("COMMENSAL_BACKUPS__FOLDER", str(tmp_path / "backups"))
    made = CliRunner().invoke(app, ["init", "--instance", str(folder)], input="")
    assert made.exit_code == 0
    assert "There is no backup yet" not in made.output
    command = ["user", "marie@example.org", "--operator", "--link", "--instance", str(folder)]
    printed = CliRunner().invoke(app, command, input="", catch_exceptions=False).output
    link = re.search(r"http://testserver(/reset/\S+)", printed)
    assert link is not None, printed
    with open_instance(folder) as instance, TestClient(make_app(instance)) as client:
        client.headers["Origin"] = "http://testserver"
        password = {"password": "un mot de passe long"}
        set_once, tried_again = (client.post(link[1], data=password, follow_redirects=False) for _ in range(2))
        assert set_once.headers["Location"] != tried_again.headers["Location"], "the link is used up"
        log_in = {"email": "marie@example.org", **password}
        assert client.post("/api/sessions", json=log_in).status_code == 201
        assert client.get("/office/instance").status_code == 200, "she is an operator"


def test_the_variables_of_the_containers_are_settings() -> None:
    """Those of compose.yaml and of the example of `.env`, which people fill in."""
    place = Path(__file__).parents[2] / "core" / "install"
    lines = (place / "example.env").read_text("utf-8").splitlines()
    variables = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert variables.pop("OPERATOR")
    pairs = re.findall(r"^    (COMMENSAL_\w+): (.+)$", (place / "compose.yaml").read_text("utf-8"), re.MULTILINE)
    variables |= {name: text.strip("\"'") for name, text in pairs}
    assert len(variables) >= 10
    settings = read_settings(InstanceSettings, with_environment(InstanceSettings, {}, variables))
    assert (settings.server.host, settings.server.trusted_proxies) == ("0.0.0.0", ("172.31.77.2",))  # noqa: S104
    assert settings.base_url == "https://val.example"
