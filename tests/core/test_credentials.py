"""Secrets of instance.toml that are stored elsewhere: in files, or with the service manager."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError
from commensal.hooks.contract import hookimpl
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings, Secret, load_settings, open_instance
from commensal.parts.setup.begin import begin_instance


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "instance.toml"
    file.write_text(f'name = "x"\n{text}', encoding="utf-8")
    file.chmod(mode)
    return folder


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where systemd puts the files that LoadCredential= names."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


@pytest.mark.parametrize(("table", "name"), [("mail", "password"), ("database", "url"), ("watching", "secret")])
def test_every_secret_may_stand_in_a_file_and_then_instance_toml_may_be_read(
    tmp_path: Path, table: str, name: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of twenty letters\n")
    settings = load_settings(write(tmp_path, f'[{table}]\n{name}_file = "{secret}"', 0o644))
    value: str = getattr(getattr(settings, table), name)
    assert value == "a secret of twenty letters"
    assert table == "database" or str(value) == "***"


def test_the_service_manager_may_hand_secrets_over(tmp_path: Path, credentials: Path) -> None:
    (credentials / "mail.password").write_text("handed over\n")
    assert load_settings(write(tmp_path, "", 0o644)).mail.password.reveal() == "handed over"
    assert load_settings(write(tmp_path, '[mail]\npassword = ""')).mail.password.reveal() == "handed over"
    assert load_settings(write(tmp_path, '[mail]\npassword = "here"')).mail.password.reveal() == "here"
    assert load_settings(tmp_path).database.url == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('password = "a"\npassword_file = "/b"', "mail.password and mail.password_file are both given"),
        ('password_file = "relative"', "mail.password_file: 'relative' is not an absolute path"),
        ("password_file = 7", "mail.password_file: 7 is not an absolute path"),
        ('password_file = "/nowhere/at/all"', "/nowhere/at/all cannot be read: No such file"),
        ('password_file = "/dev/null"', "/dev/null is empty"),
        ('username_file = "/etc/hostname"', "mail.username_file is unknown; did you mean 'username'?"),
    ],
)
def test_what_cannot_be_read_stops_the_start(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message.replace("?", r"\?")):
        load_settings(write(tmp_path, f"[mail]\n{line}"))


@pytest.mark.parametrize("line", ['[database]\nurl = "postgresql://u:hunter2@h/d"', '[mail]\npassword = "hunter2"'])
def test_a_secret_in_instance_toml_itself_is_for_its_owner_alone(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match="chmod 600") as error:
        load_settings(write(tmp_path, line, 0o640))
    assert "hunter2" not in str(error.value)
    load_settings(write(tmp_path, line))


@dataclass(frozen=True)
class Gateway:
    key: Secret = field(default_factory=Secret)


def load_gateway(clock: ManualClock, table: dict[str, object]) -> Gateway:
    module = ModuleType("gateway")

    def instance_settings() -> type:
        return Gateway

    module.instance_settings = hookimpl(instance_settings)  # type: ignore[attr-defined]
    settings = InstanceSettings(name="x", plugins={"enabled": ["gateway"], "gateway": table})
    gateway = load_plugins(settings, clock=clock, modules={"gateway": module}).instance_settings("gateway")
    assert isinstance(gateway, Gateway)
    return gateway


def test_secrets_of_plugins_may_stand_elsewhere_too(clock: ManualClock, tmp_path: Path, credentials: Path) -> None:
    (tmp_path / "key").write_text("from a file")
    (credentials / "plugins.gateway.key").write_text("handed over")
    assert load_gateway(clock, {"key_file": str(tmp_path / "key")}).key.reveal() == "from a file"
    assert load_gateway(clock, {}).key.reveal() == "handed over"
    assert load_gateway(clock, {"key": "here"}).key.reveal() == "here"


def test_an_instance_finds_its_database_by_a_url_that_was_handed_over(tmp_path: Path, credentials: Path) -> None:
    (credentials / "database.url").write_text(f"sqlite:///{tmp_path}/elsewhere.db\n")
    begin_instance(tmp_path / "val", name="Val", plugins=())
    with open_instance(tmp_path / "val") as instance:
        assert instance.store.url == f"sqlite:///{tmp_path}/elsewhere.db"
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "val" / "commensal.db").exists()
