"""Limits of log-ins for an address: forty people behind one Wi-Fi, and somebody who guesses passwords there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.instance import InstanceSettings
from commensal.people.people import Person

from .test_people_api import GOOD, HASH, HERE, log_in

Somebody = Callable[..., Person]


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, limits=replace(settings.limits, logins=3, signups=8))


def test_right_passwords_do_not_count_and_wrong_ones_do(client: TestClient, somebody: Somebody) -> None:
    people = [somebody(f"P{number}", password_hash=HASH) for number in range(8)]
    for person in people:
        client.cookies.clear()
        assert log_in(client, person.email).status_code == 201
    statuses = [log_in(client, person.email, "something else").status_code for person in people[:4]]
    assert statuses == [401, 401, 401, 429]
    assert log_in(client, people[7].email).status_code == 429, "the right password is refused too"


def test_sign_ups_have_a_limit_of_their_own(client: TestClient) -> None:
    def sign_up(number: int) -> Any:
        wish = {"email": f"p{number}@example.org", "name": "P", "password": GOOD}
        return client.post("/api/people", json=wish, headers=HERE).status_code

    assert [sign_up(number) for number in range(9)] == [202] * 8 + [429]


def test_a_link_that_opens_something_does_not_count_and_a_guessed_one_does(client: TestClient) -> None:
    statuses = [client.get(f"/api/guest-orders/{'x' * 40}{number}").status_code for number in range(4)]
    assert statuses == [404, 404, 404, 429]


def test_a_log_in_leaves_a_cookie_by_which_the_browser_is_known(client: TestClient, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    response = log_in(client, ada.email)
    browser = response.json()["browser"]
    assert client.cookies["browser"] == browser
    assert "HttpOnly" in response.headers["set-cookie"]
    client.delete("/api/me/session", headers=HERE)
    assert client.cookies["browser"] == browser, "it outlives the session"
    assert log_in(client, ada.email).json()["browser"] == browser
