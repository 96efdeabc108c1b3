"""Secrets on the command line: read from files or the environment, never from arguments, which other users can see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from commensal import Conflict, Secret, open_file_of_caller

from .values import Auth

VARIABLE = "COMMENSAL_DFC_TOKEN"  # environment variable with a bearer token

TokenFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Holds the bearer token; or set COMMENSAL_DFC_TOKEN.")
]
ApiKeyFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Holds an API key of Open Food Network.")
]


def read_secret(token: Path | None, api_key: Path | None, client_secret: Path | None = None) -> tuple[Auth, Secret]:
    """Reads the secret from the named file, else from the environment. Raises `Conflict` for several files."""
    kinds: dict[Auth, Path | None] = {"token": token, "api_key": api_key, "oidc": client_secret}
    given_files = [(auth, file) for auth, file in kinds.items() if file is not None]
    if len(given_files) > 1:
        raise Conflict("many_secrets", "Name one file with a secret, not several.")
    for auth, file in given_files:
        with open_file_of_caller(file) as stream:
            return auth, Secret(stream.read().decode().strip())
    token_text = os.environ.get(VARIABLE, "").strip()
    return ("token", Secret(token_text)) if token_text else ("none", Secret(""))
