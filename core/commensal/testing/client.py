"""A client that speaks HTTP with an application in this process, as a browser on the same site would."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient


def client_of(app: Any) -> TestClient:
    """Answers of status 500 are answers: a test sees them as visitors do."""
    return TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://testserver"})
