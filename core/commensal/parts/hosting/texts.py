"""Fills in the templates in ``templates/`` for one instance: its folder, its address, its port."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ...base.errors import SettingsError
from ...instance import InstanceSettings, load_settings
from ..upgrading.versions import Program, is_beside_others

WORKER = "commensal-work"
UNITS = {"commensal": ("the web server", "serve --no-jobs"), WORKER: ("the worker", "work")}
PROXIES = ("caddy", "nginx")
CONTAINER = "container"
SEVERAL = tuple(f"{unit}@" for unit in UNITS)  # units for any number of instances in one folder
UPGRADES = ("upgrade.service", "upgrade.timer")
MONITORING = ("alerts.yml", "prometheus.yml", "dashboard.json")
STATE = Path("/var/lib")  # where systemd creates the state folders of services
_NAMES = {
    "caddy": "Caddyfile",
    "nginx": "commensal",
    CONTAINER: "Containerfile",
    "upgrade.service": "commensal-upgrade.service",
    "upgrade.timer": "commensal-upgrade.timer",
    "alerts.yml": "commensal.rules.yml",
    "prometheus.yml": "commensal.prometheus.yml",
    "dashboard.json": "commensal.dashboard.json",
}
_HOMES = ("home", "root")
_EXAMPLE = "https://commensal.example"  # if there is no instance yet


def write_text(which: str, folder: Path) -> str:
    """The text for a unit of `UNITS`, `SEVERAL` or `UPGRADES`, one of `PROXIES` or `MONITORING`, or `CONTAINER`.

    `folder` need not contain an instance yet.

    Raises `SettingsError` for a path that a systemd unit cannot contain.
    """
    folder = folder.resolve()
    settings = (
        load_settings(folder) if (folder / "instance.toml").exists() else InstanceSettings(name="", base_url=_EXAMPLE)
    )
    file = Path(__file__).parent / "templates" / ("unit.service" if which in (*UNITS, *SEVERAL) else which)
    text = file.read_text(encoding="utf-8")
    for name, value in _values(which, folder, settings).items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _values(which: str, folder: Path, settings: InstanceSettings) -> dict[str, str]:
    if which in UNITS:
        return _of_unit(which, folder, settings)
    if which in SEVERAL:
        values = _of_unit(which.removesuffix("@"), folder, settings)
        return {name: _of_any(value, folder.name) for name, value in values.items()} | {"unit": which}
    if which in UPGRADES:
        _refuse_misread(str(folder), str(_command()))
        return {"commensal": str(_command()), "folder": str(folder)}
    return _of_address(settings)


def _of_any(value: str, name: str) -> str:
    """A value of the unit of one instance, for any instance beside it: `%i` stands where paths end in its name."""
    lines = (line.removesuffix(f"/{name}") + "/%i" if line.endswith(f"/{name}") else line for line in value.split("\n"))
    return "\n".join(lines)


def _command() -> Path:
    """The command of this version; or, if it lies beside others, of whichever is in use."""
    if is_beside_others():
        return Program.of_this_process().link
    return Path(sys.executable).with_name("commensal")


def _refuse_misread(*paths: str) -> None:
    for path in paths:
        if any(character.isspace() or character in "%\\\"'$;" for character in path):
            text = "{path}: a unit of systemd would read this path as something else; choose a plain one."
            raise SettingsError(text, path=path)


def write_files(names: Sequence[str], folder: Path, into: Path) -> list[Path]:
    """Writes each text into a file of its usual name in the folder `into`, and returns the files.

    Raises `SettingsError` if one exists, before anything is written, or if one cannot be written.
    """
    texts = {into / _NAMES.get(name, f"{name}.service"): write_text(name, folder) for name in names}
    if existing := [str(file) for file in texts if file.exists()]:
        text = "{files}: there is such a file already; move it away. Nothing was written."
        raise SettingsError(text, files=", ".join(existing))
    try:
        for file, text in texts.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError("{folder} cannot be written to: {error}.", folder=into, error=error.strerror) from error
    return list(texts)


def _of_unit(unit: str, folder: Path, settings: InstanceSettings) -> dict[str, str]:
    commensal, backups, images = _command(), settings.backups.folder, settings.images.folder
    _refuse_misread(str(folder), str(commensal), backups, images)
    at_home = any(path.parts[1:2] and path.parts[1] in _HOMES for path in (folder, commensal))
    is_state = folder.is_relative_to(STATE) and folder != STATE
    writes = (
        f"StateDirectory={folder.relative_to(STATE)}\nStateDirectoryMode=0700"
        if is_state
        else f"ReadWritePaths={folder}"
    )
    for other in (backups if unit == WORKER else "", images):
        if other and not Path(other).is_relative_to(folder):
            writes += f"\nReadWritePaths=-{other}"  # "-": the service also starts without that disk
    description, command = UNITS[unit]
    return {
        "unit": unit,
        "what": description,
        "command": command,
        "commensal": str(commensal),
        "folder": str(folder),
        "writes": writes,
        "home": "read-only" if at_home else "yes",
    }


def _of_address(settings: InstanceSettings) -> dict[str, str]:
    server = settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    url = urlsplit(settings.base_url)
    return {
        "host": url.hostname or "",
        "scheme": url.scheme,
        "target": url.netloc,
        "listens": f"{host}:{server.port}",
        "proxies": ", ".join(server.trusted_proxies),
    }
