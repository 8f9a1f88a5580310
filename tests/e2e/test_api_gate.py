"""What every request meets before anything else: who asks, how often, how much; and what every answer carries."""

from __future__ import annotations

import datetime
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keyfuse.api import service
from keyfuse.api.service import open_service
from keyfuse.config import Config
from keyfuse.config_api import Api
from keyfuse.session import Session
from responders.gatekeeper import Gatekeeper
from responders.users import Role
from scanner.errors import CannotRun, ConfigError
from tests.support.serving import Client, House, serving


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with serving(tmp_path_factory.mktemp("gate"), "refusals_per_minute = 100000\nmax_body = '64 KiB'\n") as house:
        yield house


def test_only_health_and_the_page_need_no_token(house: House) -> None:
    nobody = Client(house.url)
    answer = nobody("GET", "/")
    assert (answer.status_code, "keyfuse users add" in answer.text) == (200, True)
    assert nobody("GET", "/healthz").json() == {"ok": True, "troubles": []}
    assert nobody("GET", "/readyz").json() == {"ok": True, "troubles": []}
    described = house.client("reader", Role.VIEWER)("GET", "/openapi.json").json()
    free = {path for path, methods in described["paths"].items() for each in methods.values() if each["security"] == []}
    for path, methods in described["paths"].items():
        for method in methods:
            status = nobody(method.upper(), path.replace("{id}", "x")).status_code
            assert (status == 401) == (path not in free), (method, path, status)
    assert nobody("GET", "/no/such/path").status_code == 401
    assert nobody("GET", "/openapi.json").status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer wrong", "bearer \xff\xfe", "x" * 5000]
)
def test_other_tokens_are_refused(house: House, header: str) -> None:
    answer = requests.get(house.url + "/v1/leaks", headers={"Authorization": header.encode("latin-1")}, timeout=60)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_what_every_answer_carries(house: House) -> None:
    client = house.client("framed")
    for path in ("/", "/v1/leaks", "/no/such/path"):
        headers = client("GET", path, headers={"Transaction-Id": "bad id\t"}).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert len(headers["Transaction-Id"]) == 32
        assert "server" not in {name.lower() for name in headers}


def test_bodies_have_a_limit(house: House) -> None:
    client = house.client("large")
    assert client("POST", "/v1/apikeys", data=b"{" + b" " * 70_000).status_code == 413
    assert client("POST", "/v1/apikeys", data=iter([b"{", b" " * 70_000])).status_code == 413


KEY = {"name": "n", "iam_id": "fuzzer"}
FUZZED: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "/v1/apikeys?pagetoken=a.0.ApiKey-none", None, {}, 404),
    ("GET", "/v1/apikeys?pagetoken=zzz", None, {}, 400),
    ("GET", "/v1/apikeys?pagesize=0", None, {}, 400),
    ("GET", "/v1/apikeys?filter=name%20eq%20x", None, {}, 400),
    ("GET", '/v1/apikeys?filter=name%20CO%20""', None, {}, 200),
    ("GET", "/v1/apikeys/details", None, {}, 400),
    ("GET", "/v1/apikeys/%00", None, {}, 400),
    ("GET", "/v1/apikeys/%ff%fe", None, {}, 400),
    ("GET", "/v1/leaks?after=0", None, {}, 404),
    ("GET", "/v1/leaks?state=odd", None, {}, 400),
    ("GET", "/v1/leaks/%2F", None, {}, 404),
    ("POST", "/v1/apikeys", {**KEY, "name": "a\u0000b"}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "name": " "}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "name": "\ud800"}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "expires_at": "0000-00-00T00:00Z"}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "expires_at": "9999-12-31T23:59-13:00"}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "expires_at": "2023-02-30T00:00Z"}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "expires_at": "2001-01-01T00:00Z"}, {}, 409),
    ("POST", "/v1/apikeys", {**KEY, "store_value": True}, {}, 400),
    ("POST", "/v1/apikeys", {**KEY, "owners": "ada"}, {}, 400),
    ("POST", "/v1/apikeys", KEY, {"Entity-Disable": "null"}, 400),
    ("POST", "/v1/apikeys/verify", {"apikey": "\ud800"}, {}, 400),
    ("PUT", "/v1/apikeys/x", {}, {}, 400),
    ("PUT", "/v1/apikeys/x", {}, {"If-Match": "*"}, 404),
    ("POST", "/intake/report", None, {}, 400),
    ("POST", "/intake/report", {"results": {"a": {}}, "plugins_used": []}, {}, 400),
    ("POST", "/intake/report", {"SourceMetadata": {"Data": {"Git": 1}}, "Raw": ""}, {}, 202),
    ("POST", "/intake/report?source=%0a", [], {}, 400),
    ("POST", "/v1/targets", {"name": "n", "place": "x"}, {}, 409),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), FUZZED)
def test_what_a_fuzzer_tried(
    house: House, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    fuzzer = Client(house.url, house.shared("fuzzer"))
    answer = fuzzer(method, path, headers=headers, **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/apikeys", "GET, POST"),
        ("/v1/apikeys/details", "GET"),
        ("/v1/apikeys/verify", "POST"),
        ("/v1/apikeys/x", "DELETE, GET, PUT"),
        ("/v1/apikeys/x/lock", "DELETE, POST"),
        ("/v1/targets/x", "DELETE, GET"),
    ],
)
def test_all_methods_of_a_path_are_named(house: House, path: str, allowed: str) -> None:
    answer = Client(house.url, house.shared("fuzzer"))("OPTIONS", path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_a_sick_daemon_says_so(house: House) -> None:
    house.services.health.trouble("queue", "the disk under /var/lib is full")
    answer = requests.get(house.url + "/readyz", timeout=60)
    house.services.health.trouble("queue", "")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "troubles": ["queue"]})
    assert requests.get(house.url + "/readyz", timeout=60).status_code == 200


def test_a_defect_tells_nothing_but_its_place(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    token = house.token("unlucky")

    def broken(*_: object) -> None:
        raise RuntimeError(f"the text of a defect may hold {token}")

    monkeypatch.setattr(Gatekeeper, "of_token", broken)
    answer = Client(house.url, token)("GET", "/v1/apikeys")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["code"] == "defect"
    assert token not in answer.text
    assert token not in house.log.getvalue()
    assert "RuntimeError" in house.log.getvalue()


def test_answers_and_log_repeat_nothing_that_was_sent(house: House) -> None:
    client, sent = house.client("careless"), "kept-to-ourselves-0123456789abcdef"
    for method, path, body in (
        ("GET", f"/v1/apikeys/{sent}", None),
        ("GET", f"/{sent}", None),
        ("POST", "/v1/apikeys", {sent: sent, "name": [sent]}),
        ("POST", "/v1/apikeys/verify", {"apikey": sent, "scopes": sent}),
        ("GET", f"/v1/apikeys?pagetoken={sent}&filter={sent}", None),
    ):
        assert sent not in client(method, path, json=body).text
    assert sent not in house.log.getvalue()


def test_whoever_asks_too_often_waits(tmp_path: Path) -> None:
    with serving(tmp_path, "refusals_per_minute = 3\n") as house:
        good = house.token("good")
        statuses = [Client(house.url, "wrong")("GET", "/v1/leaks").status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        blocked = Client(house.url, good)("GET", "/v1/leaks")
        assert blocked.status_code == 429
        assert int(blocked.headers["Retry-After"]) >= 1


def test_each_user_has_a_rate_of_its_own(house: House) -> None:
    from keyfuse.api.rates import Buckets

    moment = [0.0]
    buckets = Buckets(60, lambda: moment[0])
    assert [buckets.take("a") for _ in range(61)] == [0] * 60 + [1]
    assert buckets.take("b") == 0
    moment[0] = 1.5
    assert (buckets.wait("a"), buckets.take("a"), buckets.take("a")) == (0, 0, 1)


def test_a_new_configuration_is_in_force_for_the_next_request(tmp_path: Path) -> None:
    with serving(tmp_path) as house:
        client = house.client("ada")
        assert client("POST", "/intake/push", headers={"X-Gitlab-Token": "a token that is long"}).status_code == 404
        file = tmp_path / "keyfuse.toml"
        file.write_text(file.read_text().replace("port = 0", "port = 1") + '[api.intake]\ngitlab_push_env = "GLP"\n')
        env = {**house.session.env, "GLP": "a token that is long"}
        with Session(str(file), house.clock, env) as fresh:
            from dataclasses import replace

            house.http.reloaded(replace(house.services, session=fresh))
            answer = client("POST", "/intake/push", headers={"X-Gitlab-Token": "a token that is long"})
            assert (answer.status_code, answer.json()["targets"]) == (202, [])
            assert "setting=api.port" in house.log.getvalue()


def certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return chain, secret


def test_tls_by_configuration(tmp_path: Path) -> None:
    chain, secret = certificate(tmp_path)
    with serving(tmp_path, f'tls_certificate = "{chain}"\ntls_key = "{secret}"\n') as house:
        assert house.url.startswith("https://")
        url = house.url.replace("127.0.0.1", "localhost")
        assert requests.get(url + "/healthz", verify=str(chain), timeout=60).status_code == 200
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(house.url.replace("https", "http") + "/healthz", timeout=60)
    chain.write_text("no certificate")
    with (
        pytest.raises(ConfigError, match="tls_certificate"),
        serving(tmp_path, f'tls_certificate = "{chain}"\ntls_key = "{secret}"\n'),
    ):
        pass


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match="another daemon may run"):
            service._listen("127.0.0.1", port)


def test_missing_libraries_are_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "NEEDED", ("no_such_library", "uvicorn"))
    with pytest.raises(CannotRun, match=r"needs no_such_library; run: pip install 'keyfuse\[daemon\]'"):
        open_service(house.services)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"listen": "0.0.0.0"}, "without TLS"),
        ({"listen": "0.0.0.0", "behind_proxy": True}, ""),
        ({"tls_key": Path("k")}, "both tls_certificate and tls_key"),
        ({}, ""),
    ],
)
def test_nothing_is_said_in_the_clear_on_a_network(settings: dict[str, object], fault: str) -> None:
    faults = list(Api(settings).faults())
    assert (fault in faults[0]) if fault else not faults


def test_the_defaults(tmp_path: Path) -> None:
    assert (Config().api.listen, Config().api.port) == ("127.0.0.1", 8765)


def test_it_ends_what_is_under_way(tmp_path: Path) -> None:
    with serving(tmp_path) as house:
        client = house.client("ada")
        done: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: done.append(
                    client("POST", "/v1/apikeys", json={"name": "n", "iam_id": "ada"}).status_code
                )
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        house.http.stop(10)
        assert done == [201] * 8
        with pytest.raises(requests.ConnectionError):
            client("GET", "/healthz")
