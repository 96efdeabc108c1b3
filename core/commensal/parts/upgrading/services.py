"""The services that run instances: systemd stops and starts them, and the web server says whether it serves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from ...base.errors import SettingsError, Trouble
from ...instance import InstanceSettings
from ..terminal import shell
from .versions import CommandFailed, run

PATIENCE = 60.0  # seconds for a service to answer after its start
_POLL = 0.1


@dataclass(frozen=True)
class Services:
    """Units of systemd."""

    units: Sequence[str]

    @classmethod
    def of(cls, instances: Sequence[Path], units: Sequence[str]) -> Services:
        """The units of the instances: those for any instance, such as ``commensal@val``, where there are such; else
        `units`."""
        names = [unit for folder in instances for unit in _named_after(folder, units)]
        return cls(tuple(dict.fromkeys(names)))

    def refuse_missing(self) -> None:
        """Raises `SettingsError` if systemd is not there, and `CommandFailed` if it does not know a unit."""
        if shutil.which("systemctl") is None:
            text = (
                "There is no systemctl on this machine, so nothing can stop and start the instance. Stop it yourself, "
                "install the new version, run `commensal upgrade`, and start it again."
            )
            raise SettingsError(text)
        run(["systemctl", "cat", *self.units])

    def stop(self) -> None:
        run(["systemctl", "stop", *self.units])

    def start(self) -> None:
        run(["systemctl", "start", *self.units])


def _named_after(folder: Path, units: Sequence[str]) -> Sequence[str]:
    named = [f"{unit}@{folder.name}" for unit in units]
    try:
        run(["systemctl", "cat", *named])
    except (CommandFailed, OSError):
        return units
    return named


def how_to_start(folder: Path, units: Sequence[str], verb: str = "restart") -> str:
    """How an operator starts the web server and the worker of an instance: the line for systemd, where it runs them.
    `units` are the usual ones."""
    for names in ([f"{unit}@{folder.absolute().name}" for unit in units], units):
        try:
            run(["systemctl", "cat", *names])
        except (CommandFailed, OSError):
            continue
        return f"`systemctl {verb} {' '.join(names)}`"
    return shell.spoken("`commensal serve` and `commensal work`, or their containers")


def wait_until_served(settings: InstanceSettings, patience: float = PATIENCE) -> str:
    """Waits until the instance answers on this machine, and returns its health: "ok" or "degraded".

    Raises `Trouble` if it does not within `patience` seconds.
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.server.host, settings.server.host)  # noqa: S104
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}/-/health"
    deadline, answer = time.monotonic() + patience, "it does not answer"
    while time.monotonic() < deadline:
        try:
            status = str(httpx.get(url, timeout=5, trust_env=False).json()["status"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            answer = str(error)
        else:
            if status != "down":
                return status
            answer = "it is down"
        time.sleep(_POLL)
    text = "After {seconds:.0f} seconds {url} does not serve: {answer}."
    raise Trouble(text, seconds=patience, url=url, answer=answer)
