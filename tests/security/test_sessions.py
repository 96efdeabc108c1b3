"""Sessions, passwords and the secrets of links, as browsers and attackers meet them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.ids import RandomIds
from commensal.instance import Instance
from commensal.instance.instance import open_instance
from commensal.instance.settings import SecuritySettings
from commensal.parts.serving.app import make_app
from commensal.parts.setup.begin import USUAL, begin_instance
from commensal.people.passwords import LONGEST, hash_password, password_matches
from commensal.people.people import NewPerson, add_person
from commensal.people.tables import person
from commensal.testing.instances import NOON, Instances, Plan

PASSWORD = "a long enough password"
_FIELD = re.compile(r"<input\b[^>]*\btype=\"password\"[^>]*>")


@pytest.fixture
def secure(commensal_instances: Instances, tmp_path: Path) -> Iterator[TestClient]:
    """An instance behind a proxy that speaks HTTPS, where Ada has an account."""
    plan, clock = Plan(plugins=("shop",)), ManualClock(NOON)
    with commensal_instances.open(tmp_path / "val", plan, clock=clock, base_url="https://val.example") as instance:
        new_ada = NewPerson(
            email="ada@example.org", name="Ada", phone="", language="en", password_hash=hash_password(PASSWORD)
        )
        with instance.store.write() as tx:
            add_person(tx, new_ada, confirmed=True)
        with TestClient(make_app(instance), base_url="https://val.example") as client:
            yield client


@pytest.mark.bundled
@pytest.mark.parametrize("route", ["page", "API"])
def test_over_https_the_cookie_is_for_this_host_alone(secure: TestClient, route: str) -> None:
    """RFC 6265bis: browsers take __Host- cookies from this host only, over HTTPS only, and for all its paths."""
    credentials = {"email": "ada@example.org", "password": PASSWORD}
    headers = {"Origin": "https://val.example"}
    if route == "page":
        answer = secure.post("/login", data={**credentials, "next": "/"}, headers=headers, follow_redirects=False)
    else:
        answer = secure.post("/api/sessions", json=credentials, headers=headers)
    (cookie,) = [header for header in answer.headers.get_list("set-cookie") if "session=" in header]
    words = {attribute.strip().lower() for attribute in cookie.split(";")}
    assert cookie.startswith("__Host-session=")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= words
    assert not any(attribute.startswith("domain") for attribute in words)
    assert answer.headers["strict-transport-security"] == "max-age=31536000", "names below ours may be others'"


def test_names_below_ours_are_included_only_where_the_operator_says_so(instance: Instance) -> None:
    security = SecuritySettings(hsts_subdomains=True)
    settings_ = replace(instance.settings, base_url="https://val.example", security=security)
    with TestClient(make_app(replace(instance, settings=settings_))) as client:
        sts_header = client.get("/-/health").headers["strict-transport-security"]
    assert sts_header == "max-age=31536000; includeSubDomains"


@pytest.mark.bundled
@pytest.mark.parametrize("page", ["/login", "/signup"])
def test_fields_of_passwords_hide_what_is_typed_and_let_it_be_pasted(secure: TestClient, page: str) -> None:
    html = secure.get(page).text
    fields = _FIELD.findall(html)
    assert fields
    assert len(fields) == len(re.findall(r"<input\b[^>]*\bname=\"[^\"]*password", html))
    for field in fields:
        assert re.search(r'autocomplete="(?:current|new)-password"', field), field
        assert "onpaste" not in field
        assert not re.search(r'value="[^"]', field), field


def test_a_long_password_works_whole() -> None:
    long_password = "correct horse battery staple " * 20
    long_password = long_password[:LONGEST]
    assert LONGEST >= 64
    stored_hash = hash_password(long_password)
    assert password_matches(long_password, stored_hash)
    assert not password_matches(long_password[:-1] + "x", stored_hash)
    assert not password_matches(long_password[:72], stored_hash)  # where other hashes stop reading


def test_secrets_have_256_random_bits() -> None:
    """This holds for sessions, tokens, links and codes in e-mails; they come from the system's own random source."""
    ids = RandomIds()
    secrets_ = {ids.secret() for _ in range(1000)}
    assert len(secrets_) == 1000
    assert {len(secret) for secret in secrets_} == {43}
    ones = sum(bin(int.from_bytes(secret.encode(), "big")).count("1") for secret in secrets_)
    assert ones > 100_000
    places = [{secret[place] for secret in secrets_} for place in range(42)]
    assert (
        min(len(characters) for characters in places) > 50
    )  # every character of the alphabet appears at every place, with overwhelming probability


@pytest.mark.bundled
def test_a_new_instance_knows_nobody(tmp_path: Path) -> None:
    begin_instance(tmp_path / "val", name="Val", base_url="http://127.0.0.1:8000", port=8000, plugins=USUAL)
    with open_instance(tmp_path / "val") as instance, instance.store.read() as tx:
        assert tx.value(select(func.count()).select_from(person)) == 0
