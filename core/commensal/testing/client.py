"""A client for an application in this process, which sends requests like a browser on the same site."""

from __future__ import annotations

from starlette.testclient import TestClient
from starlette.types import ASGIApp


def client_of(app: ASGIApp) -> TestClient:
    """The client. A status of 500 is returned, not raised as an error, as a visitor would see it."""
    return TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://testserver"})
