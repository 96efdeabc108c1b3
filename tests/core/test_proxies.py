"""nginx and Caddy, as Debian packages them, with the settings that `commensal init` prints.

Only addresses and certificates are replaced. Requests are smuggled past them as raw bytes; the instance's own metrics
show which of them reached it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commensal.parts.hosting import write_text
from commensal.parts.setup.begin import begin_instance

from ..ports import free_port, free_ports
from .certificates import a_certificate
from .processes import Processes, wait_until

SECRET = "a monitor's own secret"
LOG_INS = 5  # a minute
MARK_OF_INSTANCE = b"frame-ancestors"  # in every answer of the instance, in none of a proxy
SECONDS = 0.3  # to wait for an answer that may not come


@dataclass(frozen=True)
class Site:
    """An instance, and the port of the proxy in front of it, which speaks TLS; `place` holds the proxy's files."""

    proxy: str
    folder: Path
    direct: str
    place: Path
    plain: int
    port: int
    tls: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def count_requests(self) -> int:
        """Returns how many requests the instance has answered, without those for metrics."""
        with httpx.Client(trust_env=False) as client:
            text = client.get(f"{self.direct}/-/metrics", headers={"Authorization": f"Bearer {SECRET}"}).text
        return sum(
            int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "commensal_requests_total" and sample.labels["route"] != "/-/metrics"
        )

    def connect(self) -> ssl.SSLSocket:
        """Opens a new TLS connection to the proxy; the caller closes it."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return self.tls.wrap_socket(connection, server_hostname="localhost")

    def exchange(self, request: bytes) -> bytes:
        """Sends these bytes and returns the answer, until the other side closes or falls silent."""
        answer = b""
        with self.connect() as connection:
            connection.sendall(request)
            connection.settimeout(SECONDS)
            try:
                while part := connection.recv(65536):
                    answer += part
            except (TimeoutError, ConnectionError):
                pass
        return answer


def nginx(text: str, place: Path, certificate: Path, plain: int, port: int) -> list[str]:
    for printed, replacement in (
        ("\tlisten [::]:80;\n", ""),
        ("\tlisten [::]:443 ssl;\n", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("/var/www/html", str(place)),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/letsencrypt/live/localhost/fullchain.pem", str(certificate)),
        ("/etc/letsencrypt/live/localhost/privkey.pem", str(certificate)),
    ):
        assert printed in text
        text = text.replace(printed, replacement)
    folders = "".join(
        f"{module}_temp_path {place};\n" for module in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    (place / "nginx.conf").write_text(
        f"daemon off;\n{user}\npid {place}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{folders}{text}\n}}\n"
    )
    return ["nginx", "-e", "stderr", "-c", str(place / "nginx.conf")]


def caddy(text: str, place: Path, certificate: Path, plain: int, port: int) -> list[str]:
    printed = "localhost {\n"
    assert printed in text
    replacement = f"localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {certificate}\n"
    global_options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    (place / "Caddyfile").write_text(global_options + text.replace(printed, replacement))
    return ["caddy", "run", "--config", str(place / "Caddyfile"), "--adapter", "caddyfile"]


PROXIES: dict[str, Callable[[str, Path, Path, int, int], list[str]]] = {"nginx": nginx, "caddy": caddy}


@contextmanager
def in_front(site: Site, certificate: Path) -> Iterator[None]:
    proxy, place = site.proxy, site.place
    command = PROXIES[proxy](write_text(proxy, site.folder), place, certificate, site.plain, site.port)
    env = {**os.environ, "HOME": str(place), "XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place)}
    with (place / "said").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    try:
        wait_until(lambda: process.poll() is not None or _listens(site.port), f"{proxy} listens")
        assert process.poll() is None, (place / "said").read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxies")


@pytest.fixture(scope="module")
def instance_at(place: Path) -> Iterator[tuple[Path, str]]:
    port = free_port()
    begin_instance(place / "val", name="Val", base_url="https://localhost", port=port, plugins=())
    with (place / "val" / "instance.toml").open("a") as file:
        file.write(f'\n[limits]\nlogins = {LOG_INS}\n\n[watching]\nsecret = "{SECRET}"\n')
    with Processes(place) as processes:
        yield place / "val", processes.address(processes.begin(place / "val", "serve", "--no-jobs"))


@pytest.fixture(scope="module", params=list(PROXIES))
def site(
    request: pytest.FixtureRequest, place: Path, instance_at: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    proxy = request.param
    if shutil.which(proxy) is None:
        assert "CI" not in os.environ, f"{proxy} is missing, and nothing is skipped here"
        pytest.skip(f"{proxy} is not installed")
    certificate = a_certificate(place / "certificate.pem", days=2)
    folder, direct = instance_at
    plain, port = free_ports(2)
    folder_of_proxy = tmp_path_factory.mktemp(proxy)  # pytest-xdist may set a proxy up twice in one process
    tls = ssl.create_default_context(cafile=str(certificate))
    site = Site(proxy, folder, direct, folder_of_proxy, plain, port, tls)
    with in_front(site, certificate):
        yield site


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, verify=site.tls, trust_env=False, timeout=20) as client:
        yield client


def test_people_reach_the_instance_over_https(client: httpx.Client) -> None:
    answer = client.get("/-/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("site", ["nginx"], indirect=True)
def test_nginx_shows_what_certbot_lays_down_to_renew_the_certificate(site: Site) -> None:
    """Without TLS, as an authority asks for it; Caddy does this by itself. Everything else is led to TLS."""
    challenge = site.place / ".well-known" / "acme-challenge" / "token"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("proof")
    site.place.chmod(0o755)  # of pytest; the workers of nginx are another user
    with httpx.Client(base_url=f"http://127.0.0.1:{site.plain}", trust_env=False) as client:
        assert client.get("/.well-known/acme-challenge/token").text == "proof"
        assert client.get("/office").headers["Location"] == "https://127.0.0.1/office"


def wrong_log_ins(client: httpx.Client) -> list[int]:
    """Sends one wrong log-in more than an address may try in a minute, and returns the statuses. Each claims another
    origin and names another account, so that only the limit of the address can refuse it."""
    answers = []
    for number in range(LOG_INS + 1):
        body = {"email": f"nobody{number}@example.org", "password": "a wrong password"}
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        answers.append(client.post("/api/sessions", json=body, headers=headers).status_code)
    return answers


def test_the_address_that_a_client_claims_is_not_believed(client: httpx.Client) -> None:
    assert wrong_log_ins(client)[-1] == 429


def test_without_a_proxy_the_claimed_address_is_believed(instance_at: tuple[Path, str]) -> None:
    """Shows that the test above can fail: without a proxy, the instance believes the client's header."""
    with httpx.Client(base_url=instance_at[1], trust_env=False) as client:
        assert wrong_log_ins(client) == [401] * (LOG_INS + 1)


@pytest.mark.parametrize("announced", [True, False], ids=["of a length", "in chunks"])
def test_a_body_over_the_limit_is_refused(site: Site, client: httpx.Client, announced: bool) -> None:
    """Caddy passes a body on until it is too large. The instance answers 413 and hangs up; if Caddy notices
    that before it reads the answer, it answers 502. Wrong log-ins do not use up the limit of sign-ups."""
    part = b"x" * 1024 * 1024
    content = part * 11 if announced else iter([part] * 11)
    answer = client.post("/api/people", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in ((413, 502) if site.proxy == "caddy" else (413,))


@pytest.mark.parametrize("site", ["nginx"], indirect=True)  # Caddy counts no connections, as the README says
def test_one_address_has_a_hundred_requests_under_way_and_no_more(site: Site, client: httpx.Client) -> None:
    unfinished = b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
    with ExitStack() as connections:
        for _ in range(99):
            connections.enter_context(site.connect()).sendall(unfinished)
        assert client.get("/-/health").status_code == 200
        connections.enter_context(site.connect()).sendall(unfinished)
        wait_until(lambda: client.get("/-/health").status_code == 429, "all are under way")
    wait_until(lambda: client.get("/-/health").status_code == 200, "those that have gone count no more")


# ------------------------------------------------------------------------------------------------ smuggling

_INNER = "GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
_CHUNK = f"{len(_INNER):x}\r\n{_INNER}\r\n0\r\n\r\n"
_HEAD = "POST /api/people HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SMUGGLED = {
    "length and chunks, where chunks count": f"{_HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{_CHUNK}",
    "length and chunks, where the length counts": (
        f"{_HEAD}Content-Length: {len(_INNER) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{_INNER}"
    ),
    "two lengths": f"{_HEAD}Content-Length: {len(_INNER)}\r\nContent-Length: 0\r\n\r\n{_INNER}",
    "two lengths in one": f"{_HEAD}Content-Length: 0, {len(_INNER)}\r\n\r\n{_INNER}",
    "a length with a sign": f"{_HEAD}Content-Length: +{len(_INNER)}\r\n\r\n{_INNER}",
    "a folded line": f"{_HEAD}X-Nothing: here\r\n Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{_CHUNK}",
    "a folded value": f"{_HEAD}Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n{_CHUNK}",
    "a blank before the colon": f"{_HEAD}Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n{_CHUNK}",
    "an encoding nobody knows": f"{_HEAD}Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n{_CHUNK}",
    "an encoding that is named twice": (
        f"{_HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: 4\r\n\r\n{_CHUNK}"
    ),
    "a line that ends early": (
        f"{_HEAD}X-Nothing: here\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{_CHUNK}"
    ),
}


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=SMUGGLED)
def test_what_hides_in_a_request_is_no_request_that_the_proxy_has_not_seen(site: Site, request_: str) -> None:
    """Most are refused. If a proxy reads two requests, as Caddy may (RFC 9112, 6.1 allows it), it answers two, and
    has set the headers of both; the instance must never read more requests than the proxy did."""
    before = site.count_requests()
    answers = site.exchange(request_.encode()).count(MARK_OF_INSTANCE)
    assert site.count_requests() - before == answers
    assert answers == 0 or site.proxy == "caddy"


def test_two_requests_on_one_line_are_counted_as_two(site: Site) -> None:
    """Shows that the test above can fail: a hidden request would be counted."""
    before = site.count_requests()
    assert site.exchange((_INNER * 2).encode()).count(MARK_OF_INSTANCE) == 2
    assert site.count_requests() - before == 2
