"""The guarded client, against real servers on this machine. For each guard, a test shows what happens without it."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import HTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from commensal.instance.settings import OutboundSettings
from commensal.parts.outbound.client import guarded_client
from commensal.parts.outbound.guard import RequestRefused, Resolve, ResponseLimits, is_public, resolve
from commensal.testing.receiver import PlannedAnswer, Receiver

ALLOWED = OutboundSettings(allow=("127.0.0.1",))
STRICT = OutboundSettings()
NAMED = "hooks.example.org"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        receiver.always = PlannedAnswer(body=b"the secret inside")
        yield receiver


def get(
    url: str,
    settings: OutboundSettings = ALLOWED,
    *,
    resolve: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
    **limits: float,
) -> httpx.Response:
    with guarded_client(settings, ResponseLimits(**limits), resolve=resolve, tls=tls) as client:  # type: ignore[arg-type]
        return client.get(url)


def fixed_resolver(*addresses: str) -> Resolve:
    """Returns a resolver that always answers with `addresses`."""
    return lambda host, port: addresses


# ------------------------------------------------------------------------------------------------ where


def test_what_is_allowed_is_reached(receiver: Receiver) -> None:
    answer = get(f"{receiver.url}/path?query=1")
    assert (answer.status_code, answer.content, receiver.received[0].path) == (
        200,
        b"the secret inside",
        "/path?query=1",
    )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "0.0.0.0"],  # noqa: S104
)
def test_no_spelling_of_this_machine_is_reached(receiver: Receiver, host: str) -> None:
    with pytest.raises((RequestRefused, httpx.InvalidURL)):
        get(f"http://{host}:{receiver.port}/", STRICT)
    with pytest.raises((RequestRefused, httpx.InvalidURL)):
        get(f"https://{host}/", STRICT)
    assert receiver.received == []


def test_without_the_guard_such_a_spelling_reads_the_secret(receiver: Receiver) -> None:
    assert httpx.get(f"http://127.1:{receiver.port}/", trust_env=False).content == b"the secret inside"


def test_a_name_is_refused_if_any_of_its_addresses_is_inside(receiver: Receiver) -> None:
    for addresses in (("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("2a00:1450:4007:80c::200e", "::ffff:127.0.0.1")):
        with pytest.raises(RequestRefused, match=f"{NAMED} is not an address of the public Internet"):
            get(f"https://{NAMED}/", STRICT, resolve=fixed_resolver(*addresses))


def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(receiver: Receiver) -> None:
    """DNS rebinding: a x a name and then lets the library look it up again reaches an inside address."""
    lookups: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return ("8.8.8.8",) if len(lookups) == 1 else ("127.0.0.1",)

    def dial_after_check() -> bytes:
        assert all(is_public(address) for address in rebinding(NAMED, receiver.port))
        (address,) = rebinding(NAMED, receiver.port)  # what the library's own look-up would find
        return httpx.get(f"http://{address}:{receiver.port}/", trust_env=False).content

    assert dial_after_check() == b"the secret inside"
    lookups.clear()
    with pytest.raises(httpx.HTTPError):
        get(f"https://{NAMED}/", STRICT, resolve=rebinding, seconds=0.5)
    assert lookups == [NAMED], "looked up once; what was checked is what was dialled"
    assert len(receiver.received) == 1, "only the naive request arrived"


def test_what_was_resolved_is_dialled_and_the_host_stays_the_name(receiver: Receiver) -> None:
    get(f"http://{NAMED}:{receiver.port}/", resolve=fixed_resolver("127.0.0.1"))
    assert receiver.received[0].headers["host"] == f"{NAMED}:{receiver.port}"


def test_an_address_that_is_dead_is_passed_over_for_the_next(receiver: Receiver) -> None:
    inside_addresses = OutboundSettings(allow=("127.0.0.0/8", "::1"))
    assert (
        get(
            f"http://{NAMED}:{receiver.port}/", inside_addresses, resolve=fixed_resolver("::1", "127.0.0.1")
        ).status_code
        == 200
    )


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "https://8.8.8.8:8443/", "https://8.8.8.8:22/", "ftp://8.8.8.8/"])
def test_only_https_and_only_its_port_is_used_outside(url: str) -> None:
    with pytest.raises(httpx.HTTPError) as error:
        get(url, STRICT, seconds=0.2)
    assert isinstance(error.value, RequestRefused), "refused before anything is sent"


def test_an_allowed_port_is_not_another_one(receiver: Receiver) -> None:
    assert get(receiver.url, OutboundSettings(allow=(f"127.0.0.1:{receiver.port}",))).status_code == 200
    with pytest.raises(RequestRefused):
        get(receiver.url, OutboundSettings(allow=("127.0.0.1:1",)))


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    receiver.say(PlannedAnswer(302, {"Location": f"{receiver.url}/inside"}))
    assert get(receiver.url).status_code == 302
    assert len(receiver.received) == 1
    receiver.say(PlannedAnswer(302, {"Location": f"{receiver.url}/inside"}))
    response = httpx.get(receiver.url, follow_redirects=True, trust_env=False)
    assert (response.content, len(receiver.received)) == (b"the secret inside", 3)


def test_a_proxy_of_the_environment_is_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(httpx.ConnectError):
        get(f"http://127.0.0.1:{_dead_port()}/")
    assert receiver.received == []
    httpx.get(f"http://inner.test:{_dead_port()}/")
    assert len(receiver.received) == 1, "a client that trusts the environment does ask it"


def _dead_port() -> int:
    with Receiver() as receiver:
        return receiver.port


# ------------------------------------------------------------------------------------------------ how much, how long


def test_an_answer_is_read_up_to_its_limit(receiver: Receiver) -> None:
    receiver.always = PlannedAnswer(body=b"x" * 100_000)
    with pytest.raises(RequestRefused, match="larger than 99999 bytes"):
        get(receiver.url, size=99_999)
    assert len(get(receiver.url, size=100_000).content) == 100_000


def test_a_packed_answer_is_unpacked_no_further_than_its_limit(receiver: Receiver) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    receiver.always = PlannedAnswer(headers={"Content-Encoding": "gzip"}, body=bomb)
    with pytest.raises(RequestRefused, match="larger than 1000000 bytes"):
        get(receiver.url, size=1_000_000)
    receiver.always = PlannedAnswer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"\0" * 1_000_000))
    response = get(receiver.url, size=1_000_000)
    assert (len(response.content), "content-encoding" in response.headers) == (1_000_000, False)
    receiver.always = PlannedAnswer(headers={"Content-Encoding": "gzip"}, body=b"not packed at all")
    with pytest.raises(RequestRefused, match="cannot be unpacked"):
        get(receiver.url)
    receiver.always = PlannedAnswer(headers={"Content-Encoding": "br"}, body=b"x")
    with pytest.raises(RequestRefused, match="nobody asked for"):
        get(receiver.url)


def test_an_answer_with_very_many_headers_is_refused(receiver: Receiver) -> None:
    receiver.always = PlannedAnswer(headers={f"X-{number}": "x" for number in range(200)})
    with pytest.raises(RequestRefused, match="more than 100 headers"):
        get(receiver.url)
    assert get(receiver.url, headers=1000).status_code == 200


def test_the_limit_of_time_is_for_all_of_it_not_for_each_byte(receiver: Receiver) -> None:
    """A server that sends a byte now and then outlives every limit that restarts with each byte."""
    stop = threading.Event()

    class Dripping(HTTPServer):
        def finish_request(self, request: object, client_address: object) -> None:
            request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")  # type: ignore[attr-defined]
            while not stop.wait(0.05):
                try:
                    request.sendall(b"x")  # type: ignore[attr-defined]
                except OSError:
                    return

    server = Dripping(("127.0.0.1", 0), None)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(httpx.ReadTimeout):
            get(f"http://127.0.0.1:{server.server_port}/", seconds=0.5)
        endless = httpx.Client(timeout=0.5, trust_env=False)
        with endless, endless.stream("GET", f"http://127.0.0.1:{server.server_port}/") as answer:
            parts = answer.iter_raw()
            assert sum(len(next(parts)) for _ in range(15)) >= 15, "it goes on after half a second"
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_is_silent_is_left_at_the_limit(receiver: Receiver) -> None:
    stop = threading.Event()
    receiver.say(PlannedAnswer(after=stop))
    with pytest.raises(httpx.ReadTimeout):
        get(receiver.url, seconds=0.3)
    stop.set()


def test_a_resolver_that_hangs_is_left_at_the_limit() -> None:
    stop = threading.Event()

    def hang(host: str, port: int) -> Sequence[str]:
        stop.wait(30)
        return ("8.8.8.8",)

    with pytest.raises(httpx.ConnectTimeout):
        get(f"https://{NAMED}/", resolve=hang, seconds=0.3)
    stop.set()


def test_a_name_that_does_not_exist_is_an_error_of_the_network() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(httpx.ConnectError, match="was not found"):
        get(f"https://{NAMED}/", resolve=unknown)
    with pytest.raises(RequestRefused, match="has no address"):
        get(f"https://{NAMED}/", resolve=fixed_resolver())


# ------------------------------------------------------------------------------------------------ certificates


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for `NAMED`, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMED)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAMED)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


def test_the_certificate_is_that_of_the_name_though_the_address_is_dialled(
    receiver: Receiver, certificate: tuple[Path, Path]
) -> None:
    server_names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda socket, name, _: server_names.append(name)
    receiver.encrypt(context)
    tls = ssl.create_default_context(cafile=str(certificate[0]))
    resolve = fixed_resolver("127.0.0.1")
    assert get(f"https://{NAMED}:{receiver.port}/", resolve=resolve, tls=tls).status_code == 200
    assert server_names == [NAMED]
    with pytest.raises(httpx.ConnectError, match=r"certificate|Hostname"):
        get(f"https://other.example.org:{receiver.port}/", resolve=resolve, tls=tls)
    with pytest.raises(httpx.ConnectError, match="certificate"):
        get(f"https://{NAMED}:{receiver.port}/", resolve=resolve)
