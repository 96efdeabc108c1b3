"""Checks of every request and guards of every answer, on every route of the application."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from commensal.api.endpoint import File, Stream
from commensal.enterprises.tables import enterprise_member
from commensal.parts.pages.visit import local_url
from commensal.parts.web import origin_guard
from commensal.people.actor import ROLES
from commensal.people.people import NewPerson, add_person
from commensal.people.sessions import begin_session
from commensal.storage.database import Store

from .filling import AppRoute, fill
from .settled import Settled
from .trespass import Asker, Attempt, Village
from .watch import watching

pytestmark = pytest.mark.bundled

# What browsers send with a request that a page of another site started, or what an old browser omits.
FOREIGN: Mapping[str, Mapping[str, str]] = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of the domain": {"Sec-Fetch-Site": "same-site"},
    "a foreign origin": {"Origin": "https://evil.example"},
    "an origin that begins like ours": {"Origin": "http://testserver.evil.example"},
    "a sandbox": {"Origin": "null"},
    "a browser that tells nothing": {"Origin": ""},
}
SIGNED = ("/-/stripe/webhook/", "/-/federation/")  # messages there are proved by signatures, and no cookie counts


def _unsafe(village: Village) -> Iterator[tuple[AppRoute, str]]:
    for route in village.routes:
        if not route.safe and not route.path.startswith(SIGNED):
            with village.instance.store.read() as tx:
                yield route, route.to(fill(tx, route, village.victim))


def _usable_by_other_sites(village: Village, owner: Settled, *, kinds: int) -> list[str]:
    """Lists unsafe routes that another site could make a person's browser use. Each route is tried in the next `kinds`
    of the ways above, which one guard refuses in front of all routes."""
    violations, ways = [], itertools.cycle(FOREIGN.items())
    for route, path in _unsafe(village):
        for kind, headers in itertools.islice(ways, kinds):
            village.client.cookies.clear()
            sent = {"Cookie": f"session={owner.owner_session}", "Idempotency-Key": "k", "If-Match": '"1"', **headers}
            answer = village.client.request(route.method, path, headers=sent, content=b"{}", follow_redirects=False)
            if answer.status_code != 403 or answer.json()["code"] != "foreign_origin":
                violations.append(f"{route} from {kind}: {answer.status_code}")
    return violations


def test_no_other_site_can_act_for_who_is_logged_in(village: Village) -> None:
    assert _usable_by_other_sites(village, village.victim, kinds=1) == []
    assert len(list(_unsafe(village))) > 100


def test_no_way_of_another_site_is_open(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Village, "routes", property(lambda self: [AppRoute("POST", "/logout")]))
    assert _usable_by_other_sites(village, village.other, kinds=len(FOREIGN)) == []


def test_a_route_that_other_sites_can_use_is_found(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin_guard, "is_cross_site", lambda headers: False)
    monkeypatch.setattr(Village, "routes", property(lambda self: [AppRoute("POST", "/logout")]))
    assert len(_usable_by_other_sites(village, village.other, kinds=len(FOREIGN))) == len(FOREIGN)


# ------------------------------------------------------------------------------------------------ answers

# What discovery of DFC publishes, and who the instance is.
FOR_EVERYBODY = {
    "/.well-known/dfc/",
    "/webid",
    "/users/{user}/webid",
    "/.well-known/did.json",
    "/.well-known/commensal",
}
POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
_ELSEWHERE = re.compile(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//(?!testserver)[^"'\s>]+""", re.IGNORECASE)


def _answers(village: Village, asker: Asker) -> Iterator[tuple[AppRoute, Any]]:
    for route in village.routes:
        if route.safe:
            with village.instance.store.read() as tx:
                values = fill(tx, route, village.victim)
            yield route, village.ask(asker, Attempt(route, values))


def _lacking_guards(village: Village, asker: Asker) -> list[str]:
    """Lists guards that an answer lacks, and headers that it should not have."""
    violations = []
    for route, answer in _answers(village, asker):
        headers = answer.headers
        policy = {directive.strip() for directive in headers.get("content-security-policy", "").split(";")}
        cache_control = headers.get("cache-control", "")
        conditions = {
            "a policy of content": policy >= POLICY or policy >= {"default-src 'none'"},
            "nosniff": headers.get("x-content-type-options") == "nosniff",
            "no referrer": headers.get("referrer-policy") == "no-referrer",
            "a window of its own": headers.get("cross-origin-opener-policy") == "same-origin",
            "no store": "no-store" in cache_control or _may_be_kept(village, route, answer),
            "its type": answer.status_code != 200 or "content-type" in headers,
            "its character set": "text/" not in headers.get("content-type", "") or "charset" in headers["content-type"],
            "no words on the server": "server" not in headers and "x-powered-by" not in headers,
            "no door for other origins": "access-control-allow-origin" not in headers
            or _is_for_everybody(route, headers),
        }
        if "text/html" in headers.get("content-type", ""):
            conditions["nothing from elsewhere"] = not _resources(answer.text)
        violations += [f"{route}: not {name}" for name, is_met in conditions.items() if not is_met]
    return violations


def _is_for_everybody(route: AppRoute, headers: Mapping[str, str]) -> bool:
    """Returns whether pages of other sites may read the answer: what is published, and never with credentials."""
    may_be_read = route.path in FOR_EVERYBODY and "access-control-allow-credentials" not in headers
    return may_be_read and headers["access-control-allow-origin"] == "*"


def _unlike_their_get(village: Village) -> Iterator[str]:
    """Lists GETs whose preflight says something else to a script of another site than they do themselves."""
    for route, answer in _answers(village, village.askers["anonymous"]):
        preflight_headers = {
            "Origin": "https://portal.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        preflight = village.client.options(str(answer.request.url), headers=preflight_headers, follow_redirects=False)
        of_get, of_preflight = (each.headers.get("access-control-allow-origin") for each in (answer, preflight))
        expected = ("*", "*") if route.path in FOR_EVERYBODY else (None, None)
        if (of_get, of_preflight) != expected or (route.path in FOR_EVERYBODY and not _allows_reading(preflight)):
            yield f"{route}: {of_get} in its answer, {of_preflight} in that of {preflight.status_code} to its preflight"


def _allows_reading(preflight: Any) -> bool:
    headers = preflight.headers
    is_reading_alone = headers.get("access-control-allow-methods") == "GET, HEAD"
    takes_tokens = "Authorization" in headers.get("access-control-allow-headers", "")
    return preflight.status_code == 204 and is_reading_alone and takes_tokens


def test_a_preflight_allows_what_the_get_of_its_path_allows(village: Village) -> None:
    assert list(_unlike_their_get(village)) == []
    assert {route.path for route in village.routes} >= FOR_EVERYBODY


def _may_be_kept(village: Village, route: AppRoute, answer: Any) -> bool:
    """Returns whether a cache may keep the answer: what strangers get too or what must be revalidated, and of pages
    only what is both.
    """
    cache_control, vary = answer.headers.get("cache-control", ""), answer.headers.get("vary", "")
    if "text/html" in answer.headers["content-type"]:
        is_revalidated = cache_control == "private, no-cache" and "Cookie" in vary and "etag" in answer.headers
        return is_revalidated and _is_same_for_strangers(village, route, answer)
    if cache_control == "private, no-cache" and "Authorization" in vary and "Cookie" in vary:
        return True
    return "public" in cache_control and _is_same_for_strangers(village, route, answer)


def _is_same_for_strangers(village: Village, route: AppRoute, answer: Any) -> bool:
    with village.instance.store.read() as tx:
        values = fill(tx, route, village.victim)
    answer_to_stranger = village.ask(village.askers["anonymous"], Attempt(route, values))
    return bool(answer_to_stranger.content == answer.content)


def _resources(html: str) -> list[str]:
    return [link for link in _ELSEWHERE.findall(html) if not link.lower().startswith("href")]


@pytest.mark.parametrize("who", ["anonymous", "its owner"])
def test_every_answer_carries_its_guards(village: Village, who: str) -> None:
    owner = Asker(name="its owner", headers={"Cookie": f"session={village.victim.owner_session}"})
    assert _lacking_guards(village, owner if who == "its owner" else village.askers["anonymous"]) == []


@pytest.mark.parametrize("name", [b"content-security-policy", b"x-content-type-options", b"referrer-policy"])
def test_an_answer_without_a_guard_is_found(village: Village, monkeypatch: pytest.MonkeyPatch, name: bytes) -> None:
    monkeypatch.delitem(origin_guard._HEADERS, name)
    assert _lacking_guards(village, village.askers["anonymous"])


@pytest.mark.parametrize(
    "cache_control", ["", "public, max-age=60", "public, no-cache", "private, no-cache", "max-age=60"]
)
def test_an_answer_that_caches_may_keep_is_found(
    village: Village, monkeypatch: pytest.MonkeyPatch, cache_control: str
) -> None:
    """An answer that depends on who asks, and does not say so."""

    def answer_by_asker(self: Village, asker: Asker, attempt: Attempt) -> httpx.Response:
        headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": cache_control}
        return httpx.Response(200, headers=headers, content=asker.name.encode())

    monkeypatch.setattr(Village, "routes", property(lambda self: [AppRoute("GET", "/kept")]))
    monkeypatch.setattr(Village, "ask", answer_by_asker)
    assert [finding for finding in _lacking_guards(village, Asker(name="its owner")) if "no store" in finding]


def test_cookies_are_for_this_host_and_no_scripts(village: Village) -> None:
    """All cookies set by pages; over HTTPS see tests/core/test_people_api.py and tests/security/test_sessions.py."""
    shop, cookie_names = village.other.shop, set()
    forms: list[tuple[str, dict[str, str]]] = [
        ("/language", {"language": "fr", "next": "/"}),
        (f"/sales/{shop.session_id}/cart", {f"item-{shop.items['soap']}": "1"}),
        ("/logout", {}),
    ]
    for path, form in forms:
        village.client.cookies.clear()
        answer = village.client.post(path, data=form, follow_redirects=False)
        for cookie in answer.headers.get_list("set-cookie"):
            cookie_names.add(cookie.partition("=")[0])
            assert "httponly" in cookie.lower(), cookie
            assert "samesite=lax" in cookie.lower(), cookie
            assert "path=/" in cookie.lower(), cookie
            assert "domain" not in cookie.lower(), cookie
    assert cookie_names >= {"language", "session"}


# ------------------------------------------------------------------------------------------------ where to


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "https:/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\x00/evil.example",
        "///evil.example",
        "/ok\r\nSet-Cookie: a=b",
        "//testserver@evil.example",
        "evil.example",
        "/x\\..\\\\evil.example",
        "",
    ],
)
def test_no_link_leads_to_another_site(village: Village, target: str) -> None:
    assert local_url(target) == "/"
    for path, form in (("/language", {"language": "en", "next": target}), ("/logout", {"next": target})):
        village.client.cookies.clear()
        answer = village.client.post(path, data=form, follow_redirects=False)
        assert answer.headers.get("location", "/") in ("/", "/login", "/#"), (path, answer.headers)
        assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"]


def test_a_redirect_that_is_not_looked_at_leads_to_another_site(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the guard."""
    monkeypatch.setattr("commensal.parts.pages.visit.local_url", lambda url: url)
    village.client.cookies.clear()
    form = {"language": "en", "next": "//evil.example"}
    answer = village.client.post("/language", data=form, follow_redirects=False)
    assert answer.headers["location"] == "//evil.example"


def test_a_link_within_the_site_is_followed() -> None:
    assert local_url("/sales/x?y=1#z") == "/sales/x?y=1#z"


# ------------------------------------------------------------------------------------------------ who somebody is


@pytest.mark.databases("sqlite", "postgresql")
def test_a_role_that_is_taken_away_counts_from_the_next_request_on(village: Village) -> None:
    store, shop = village.instance.store, village.other
    new_manager = NewPerson(email="manager@example.org", name="Mona", phone="", language="en", password_hash="")
    with store.write() as tx:
        mona = add_person(tx, new_manager, confirmed=True)
        assert mona is not None
        tx.execute(
            enterprise_member.insert().values(enterprise_id=shop.id, person_id=mona.id, role="manager", since=tx.now)
        )
        cookie = {"Cookie": f"session={begin_session(tx, mona).secret}"}
    customers = f"/api/enterprises/{shop.id}/customers"
    village.client.cookies.clear()
    assert village.client.get(customers, headers=cookie).status_code == 200
    member = f"/api/enterprises/{shop.id}/members/{mona.id}"
    as_owner = {"Authorization": f"Bearer {shop.shop.token}"}
    assert village.client.put(member, json={"role": "packer"}, headers=as_owner).status_code == 200
    assert village.client.get(customers, headers=cookie).status_code == 403
    assert village.client.delete(member, headers=as_owner).status_code == 204
    assert village.client.get(customers, headers=cookie).status_code == 404


def test_a_role_that_is_remembered_is_found(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard, a person who lost a role still gets in."""
    customers = f"/api/enterprises/{village.victim.id}/customers"
    with village.instance.store.write() as tx:
        cookie = {"Cookie": f"session={begin_session(tx, village.other.owner).secret}"}
    village.client.cookies.clear()
    assert village.client.get(customers, headers=cookie).status_code == 404
    monkeypatch.setattr(
        "commensal.enterprises.access.scopes_at",
        lambda tx, actor, enterprise_id: ROLES["owner"] | tx.own_scopes.by_name.keys(),
    )
    assert village.client.get(customers, headers=cookie).status_code == 200


def test_a_session_that_is_taken_over_is_found(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard, a log-in that keeps the browser's secret lets in whoever planted it there."""
    planted_secret = "chosen-by-an-attacker-and-planted-0123456789ab"
    store, shopper = village.instance.store, village.other.shopper
    with store.write() as tx:
        monkeypatch.setattr(type(tx.ids), "secret", lambda self: planted_secret)
        begin_session(tx, shopper)
    village.client.cookies.clear()
    assert village.client.get("/api/me", headers={"Cookie": f"session={planted_secret}"}).json()["id"] == shopper.id


def test_a_session_that_somebody_else_chose_is_never_anybodys(village: Village) -> None:
    """Fixation: a secret that this instance did not create never belongs to a session, whoever logs in."""
    village.client.cookies.clear()
    planted_cookie = {"Cookie": "session=chosen-by-an-attacker-0123456789abcdef0123456789"}
    assert village.client.get("/api/me", headers=planted_cookie).status_code == 401
    answer = village.client.post(
        "/api/sessions", json={"email": "x@example.org", "password": "wrong"}, headers=planted_cookie
    )
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert village.client.get("/api/me", headers=planted_cookie).status_code == 401


# ------------------------------------------------------------------------------------------------ what is not there


def _may_write(route: AppRoute) -> bool:
    """Exports record who took them. The health check writes a row every ten seconds, to see that it can."""
    return str(route) == "GET /-/health" or (route.endpoint is not None and route.endpoint.answer in (File, Stream))


@pytest.mark.long  # seconds
@pytest.mark.databases("sqlite", "postgresql")
def test_no_page_changes_anything_by_being_looked_at(village: Village) -> None:
    """Links lead to pages from anywhere, and browsers prefetch them: a GET begins no session and writes nothing."""
    owner = Asker(name="its owner", headers={"Cookie": f"session={village.victim.owner_session}"})
    with watching(village.instance) as watch:
        for asker in (owner, village.askers["anonymous"]):
            for route, answer in _answers(village, asker):
                assert not watch.wrote() or _may_write(route), route
                assert not [cookie for cookie in answer.headers.get_list("set-cookie") if "session=" in cookie], route


@pytest.mark.parametrize(
    "path",
    [
        "/.git/HEAD",
        "/.env",
        "/instance.toml",
        "/commensal.db",
        "/-/shop/static/",
        "/-/shop/static/..%2f..%2fpages.py",
        "/-/shop/static/../pages.py",
        "/static/",
        "/images/",
        "/debug",
        "/admin",
    ],
)
def test_what_is_no_route_is_not_served(village: Village, path: str) -> None:
    village.client.cookies.clear()
    assert village.client.get(path).status_code == 404
    for method in ("TRACE", "TRACK", "CONNECT", "DEBUG"):
        assert village.client.request(method, "/login").status_code in (404, 405, 501)


def test_an_error_of_ours_explains_nothing(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("the inside of /work/commensal at line 7")

    owner = {"Cookie": f"session={village.victim.owner_session}"}
    monkeypatch.setattr(Store, "read", breaks)
    for path in ("/api/me", "/api/sale-sessions", "/", "/login"):
        answer = village.client.get(path, headers=owner)
        assert answer.status_code in (500, 503), path
        for word in ("the inside", "RuntimeError", "Traceback", "line 7", ".py", "sqlite"):
            assert word not in answer.text, path


def test_a_parameter_that_comes_twice_is_read_once(village: Village) -> None:
    """The last one counts, for the check and for the answer alike."""
    headers = {"Authorization": f"Bearer {village.victim.shop.token}"}
    url = f"/api/enterprises/{village.victim.id}/products"
    village.client.cookies.clear()
    assert len(village.client.get(f"{url}?limit=5&limit=1", headers=headers).json()["items"]) == 1
    assert village.client.get(f"{url}?limit=1&limit=100000", headers=headers).status_code == 422
