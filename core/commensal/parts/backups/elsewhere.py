"""Copies backups to another place and brings them back: by rclone or restic, which know S3, SFTP and many other places.

Both are installed and set up by the operator, in their own ways (`rclone config`, ``RESTIC_PASSWORD_FILE``).
"""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from ...base.errors import SettingsError, StoreError
from .upkeep.upkeep import newest_in, newest_of

_MOST = timedelta(hours=12)  # for one command
_LONGEST = 500  # letters of what a program says
_FILES = "commensal-*.zip"
_RESTIC = ("restic", "--no-cache", "--quiet", "--repo")  # the service has no folder for a cache
_TAG = ("--tag", "commensal")


def push(folder: Path, elsewhere: str) -> None:
    """Copies the backups of a folder that are not there yet. `elsewhere` is the setting ``backups.elsewhere``.

    restic encrypts them, and keeps what it has; how long is for ``restic forget``.

    Raises `SettingsError` if the program is not installed, and `StoreError` with what it says.
    """
    program, place = _split(elsewhere)
    if program == "rclone":
        _run("rclone", "copy", "--include", _FILES, str(folder), place)
    else:
        _run(*_RESTIC, place, "backup", *_TAG, "--exclude", ".*", str(folder))


def fetch_newest(elsewhere: str, into: Path, now: datetime) -> Path:
    """Brings the newest backup until `now` back into the empty folder `into`, and returns the file. Raises as `push`
    does."""
    program, place = _split(elsewhere)
    if program == "rclone":
        newest = newest_of(map(Path, _run("rclone", "lsf", "--include", _FILES, place).split()), now)
        if newest:
            _run("rclone", "copyto", f"{place.rstrip('/')}/{newest.name}", str(into / newest.name))
        return newest_in(into, now)
    restored = into / "restored"
    _run(*_RESTIC, place, "restore", "latest", *_TAG, "--target", str(restored))
    newest = newest_of(restored.rglob(_FILES), now)
    return newest.rename(into / newest.name) if newest else newest_in(into, now)


def _split(elsewhere: str) -> tuple[str, str]:
    program, _, place = elsewhere.partition(":")
    return program, place


def _run(*command: str) -> str:
    try:
        result = subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_MOST.total_seconds(),
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        text = "{program} is not installed, and backups.elsewhere needs it; on Debian: `apt install {program}`."
        raise SettingsError(text, program=command[0]) from None
    except subprocess.TimeoutExpired as error:
        raise StoreError("{program} took longer than {most}.", program=command[0], most=_MOST) from error
    if result.returncode:
        words = " ".join(result.stderr.split())[-_LONGEST:]  # the reason is in any of its lines
        raise StoreError("{program}: {error}", program=command[0], error=words or result.returncode)
    return result.stdout
