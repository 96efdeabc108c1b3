"""Secrets on the command line: in files or in the environment, never in the words of a command, which all can see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from commensal import Conflict, Secret

from .values import Auth

VARIABLE = "COMMENSAL_DFC_TOKEN"  # of the environment, which holds a bearer token

TokenFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="Holds the bearer token; or it stands in COMMENSAL_DFC_TOKEN."),
]
ApiKeyFile = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Holds an API key of Open Food Network.")
]


def said_secret(token: Path | None, api_key: Path | None, client_secret: Path | None = None) -> tuple[Auth, Secret]:
    """How a platform is asked, by the files that are named, else by the token of the environment."""
    kinds: dict[Auth, Path | None] = {"token": token, "api_key": api_key, "oidc": client_secret}
    named = [(auth, file) for auth, file in kinds.items() if file is not None]
    if len(named) > 1:
        raise Conflict("many_secrets", "Name one file with a secret, not several.")
    for auth, file in named:
        return auth, Secret(file.read_text().strip())
    found = os.environ.get(VARIABLE, "").strip()
    return ("token", Secret(found)) if found else ("none", Secret(""))
