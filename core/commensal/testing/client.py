"""A client for an application in this process, which sends requests like a browser on the same site."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient


def client_of(app: Any) -> TestClient:
    """The client. A status of 500 is returned, not raised as an error, as a visitor would see it."""
    return TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://testserver"})
