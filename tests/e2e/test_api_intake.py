"""What other services report: known by signature, sealed, taken in once, and answered by the keys' owners' will."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from responders.issuer import Issued, NewKey
from responders.registrar import By
from responders.registry import LeakAction
from responders.targets import Target, TargetKind
from responders.users import Role
from tests.support.serving import Client, House, serving
from tests.support.stores import Clock
from tests.support.tokens import github_token, keyfuse_key
from tests.support.webserver import Site, web_server

PRIVATE = ec.generate_private_key(ec.SECP256R1())
SECRETS = {"GITHUB_PUSH": "github push secret", "GITLAB_PUSH": "gitlab push secret", "REVOKE": "revocation token 1"}
CONFIG = """
refusals_per_minute = 100000
[api.intake]
github_keys_url = "{url}/meta/public_keys/secret_scanning"
gitlab_keys_file = "{file}"
github_push_env = "GITHUB_PUSH"
gitlab_push_env = "GITLAB_PUSH"
revocation_token_env = "REVOKE"
revocable_types = ["gitleaks_rule_id_keyfuse"]
max_tokens = 2000
max_body = "1 MiB"
"""


def public_keys() -> bytes:
    pem = PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return json.dumps({"public_keys": [{"key_identifier": "k1", "key": pem.decode(), "is_current": True}]}).encode()


@pytest.fixture(scope="module")
def keyserver() -> Iterator[Site]:
    with web_server() as site:
        site.body, site.answers = public_keys(), [200] * 50
        yield site


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, keyserver: Site, rule_cache: Path) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("intake")
    (directory / "keys.json").write_bytes(public_keys())
    config = CONFIG.format(url=keyserver.url, file=directory / "keys.json")
    with serving(directory, config, env=SECRETS, cache=rule_cache) as house:
        yield house


def issue(house: House, action: LeakAction = LeakAction.DISABLE) -> Issued:
    return house.session.issuer().create(NewKey("leaky", iam_id="someone", action_when_leaked=action), By("tester"))


def value(issued: Issued) -> str:
    return issued.secret.reveal().decode()


def signed(
    vendor: str, body: bytes, *, key: str = "k1", private: ec.EllipticCurvePrivateKey = PRIVATE
) -> dict[str, str]:
    signature = b64encode(private.sign(body, ec.ECDSA(hashes.SHA256()))).decode()
    return {f"{vendor}-Public-Key-Identifier": key, f"{vendor}-Public-Key-Signature": signature}


def send(
    house: House, path: str, content: Any, headers: dict[str, str] | None = None, **more: Any
) -> requests.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return requests.post(house.url + path, data=body, headers=headers or {}, timeout=60, **more)


def github(house: House, content: Any) -> requests.Response:
    body = json.dumps(content).encode()
    return send(house, "/intake/github", body, signed("Github", body))


def state(house: House, issued: Issued) -> str:
    return house.session.issuer().get(issued.key.id).state.value


def in_clear(house: House, text: str) -> list[str]:
    """The files of the data directory in which a text stands."""
    files = [path for path in house.session.config.data_dir.rglob("*") if path.is_file()]
    return [path.name for path in files if text.encode() in path.read_bytes()]


def test_githubs_report_kills_the_key_and_says_whose_it_was(house: House) -> None:
    first, second = issue(house), issue(house, LeakAction.DELETE)
    wrong_sum, foreign = value(first)[:-1] + "~", github_token(random.Random(1))
    reported = [
        {"token": value(first), "type": "keyfuse_key", "url": "https://git.example.org/a", "source": "commit"},
        {"token": value(first), "type": "keyfuse_key", "url": "https://git.example.org/b", "source": "NPM"},
        {"token": value(second), "type": "keyfuse_key", "url": "", "source": "content", "new_field": 1},
        {"token": wrong_sum, "type": "keyfuse_key", "url": ""},
        {"token": foreign, "type": "other", "url": ""},
    ]
    answer = github(house, reported)
    assert answer.status_code == 200
    labels = {each["token_hash"]: each["label"] for each in answer.json()}
    assert labels == {
        hashlib.sha256(value(first).encode()).hexdigest(): "true_positive",
        hashlib.sha256(value(second).encode()).hexdigest(): "true_positive",
        hashlib.sha256(wrong_sum.encode()).hexdigest(): "false_positive",
    }
    assert value(first) not in answer.text
    assert state(house, first) == "active", "answered at once; done later"
    assert not in_clear(house, value(first))
    assert house.drain() == 1
    assert (state(house, first), state(house, second)) == ("disabled", "deleted")
    assert not in_clear(house, value(first))
    assert not in_clear(house, foreign)
    with house.session.records().read() as tx:
        incident = tx.incidents.by_fingerprint(house.session.fingerprinter().of(first.secret))
    assert incident is not None
    assert [(place.where, place.source) for place in incident.sightings] == [
        ("https://git.example.org/a", "github:commit"),
        ("https://git.example.org/b", "github:npm"),
    ]
    assert value(first) not in house.log.getvalue()


def test_a_foreign_token_is_recognised_whatever_it_is_called(house: House) -> None:
    foreign, other = github_token(random.Random(3)), "nothing that any rule knows of"
    github(house, [{"token": foreign, "type": "their_name", "url": ""}, {"token": other, "type": "their_name"}])
    house.drain()
    with house.session.records().read() as tx:
        found = [
            tx.incidents.by_fingerprint(house.session.fingerprinter().of(each.encode())) for each in (foreign, other)
        ]
    assert [(each.rule, each.provider) for each in found if each] == [
        ("github-pat", "github"),
        ("their_name", "unknown"),
    ]


def test_a_report_that_is_sent_again_does_nothing_more(house: House) -> None:
    key = issue(house)
    reported = [{"token": value(key), "type": "t", "url": "https://git.example.org/again"}]
    first = github(house, reported)
    assert house.drain() == 1
    house.session.issuer().enable(key.key.id, By("tester"))
    assert github(house, reported).json() == first.json()
    assert house.drain() == 0
    assert state(house, key) == "active"
    house.clock.forward(hours=25)
    assert github(house, reported).status_code == 200
    assert house.drain() == 1


def test_who_did_not_sign_is_refused(house: House, keyserver: Site) -> None:
    body = json.dumps([{"token": keyfuse_key(random.Random(2)), "type": "t", "url": ""}]).encode()
    good, stranger = signed("Github", body), ec.generate_private_key(ec.SECP256R1())
    asked = len(keyserver.requests)
    for headers in (
        {},
        {**good, "Github-Public-Key-Signature": "bm90IG9uZQ=="},
        {**good, "Github-Public-Key-Signature": "@@@"},
        signed("Github", body, private=stranger),
        signed("Github", body + b" "),
        signed("Gitlab", body),
        signed("Github", body, key="nobody's"),
        signed("Github", body, key="nobody's"),
    ):
        answer = send(house, "/intake/github", body, headers)
        assert answer.status_code == 401, headers
        assert answer.json()["error"]["code"] == "untrusted"
    assert len(keyserver.requests) <= asked + 1, "an unknown key id has the keys fetched anew once a minute at most"
    assert house.drain() == 0


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"[", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        ({}, 400),
        ([1], 400),
        ([{"type": "t"}], 400),
        ([{"token": ""}], 400),
        ([{"token": 5}], 400),
        ([{"token": "x" * 70_000}], 400),
        ([{"token": f"token-{number}"} for number in range(2001)], 400),
        ([], 200),
        ([{"token": "\ud800 lone half", "url": "\u0000\u001b[2J", "type": None, "source": 7}], 200),
    ],
)
def test_odd_reports(house: House, content: Any, status: int) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = send(house, "/intake/github", body, signed("Github", body))
    assert answer.status_code == status
    house.drain()


def test_a_body_that_is_too_large_is_refused_before_it_is_read(house: House) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    body = b"[" + b" " * (1 << 20) + b"]"
    assert send(house, "/intake/github", body, signed("Github", body)).status_code == 413
    try:
        status = requests.post(house.url + "/intake/github", data=endless(), timeout=60).status_code
    except requests.ConnectionError:  # it may hang up while we still send
        status = 413
    assert status == 413


def test_gitlabs_partner_report(house: House) -> None:
    key = issue(house)
    body = json.dumps([{"type": "t", "token": value(key), "url": "https://git.example.org/x"}]).encode()
    assert send(house, "/intake/gitlab", body, signed("Gitlab", body)).status_code == 204
    assert house.drain() == 1
    assert state(house, key) == "disabled"
    assert send(house, "/intake/gitlab", body, signed("Github", body)).status_code == 401


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_gitlabs_token_revocation(house: House, scheme: str) -> None:
    headers = {"Authorization": scheme + SECRETS["REVOKE"]}
    types = requests.get(house.url + "/v1/revocable_token_types", headers=headers, timeout=60)
    assert types.json() == {"types": ["gitleaks_rule_id_keyfuse"]}
    key = issue(house)
    reported = [{"type": "gitleaks_rule_id_keyfuse", "token": value(key), "location": "https://git.example.org/y"}]
    for _ in range(2):
        assert send(house, "/v1/revoke_tokens", reported, headers).status_code == 204
    assert house.drain() == 1
    assert state(house, key) == "disabled"
    for wrong in ({}, {"Authorization": "another token here"}, {"Authorization": "Bearer "}):
        assert send(house, "/v1/revoke_tokens", reported, wrong).status_code == 401
        assert requests.get(house.url + "/v1/revocable_token_types", headers=wrong, timeout=60).status_code == 401


def test_reports_of_other_scanners(house: House) -> None:
    key, client = issue(house), house.client("scanner", Role.MEMBER, iam_id="IBMid-scanner")
    reports: list[Any] = [
        [{"RuleID": "r", "File": "gitleaks.env", "Secret": value(key)}],
        {
            "findings": [
                {"rule": {"id": "kf.1"}, "finding": {"snippet": value(key), "path": "kingfisher.env", "line": 3}}
            ]
        },
        {"SourceMetadata": {"Data": {"Git": {"file": "trufflehog.env"}}}, "DetectorName": "D", "Raw": value(key)},
        {"runs": [{"tool": {"driver": {"name": "gitleaks"}}, "results": [sarif(value(key))]}]},
    ]
    for content in reports:
        answer = client("POST", "/intake/report?source=ci", json=content)
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text
    assert not in_clear(house, value(key))
    assert house.drain() == 4
    assert state(house, key) == "disabled"
    found = client("GET", "/v1/leaks").json()
    assert found["leaks"] == [], "whoever reports a leak does not see whose key it is"
    hashed = {"results": {"a.py": [{"type": "Secret Keyword", "line_number": 4}]}, "plugins_used": []}
    answer = client("POST", "/intake/report", json=hashed)
    assert answer.json()["accepted"] == 0
    assert answer.json()["skipped"][0]["origin"] == "a.py:4"
    for content in (b"", b"no JSON", b"{}"):
        assert client("POST", "/intake/report", data=content).status_code == 400
    with house.session.records().read() as tx:
        assert any(each.actor == "IBMid-scanner" and each.event == "incident.opened" for each in tx.audit.read())


def sarif(snippet: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "sarif.env"}, "region": {"startLine": 5, "snippet": {"text": snippet}}}
    return {"ruleId": "r", "locations": [{"physicalLocation": place}]}


PUSHED = {"ref": "refs/heads/main", "after": "0" * 40, "repository": {"clone_url": "https://Git.example.org/Shop.git"}}


@pytest.fixture(scope="module")
def shop(house: House) -> str:
    with house.session.records().begin() as tx:
        tx.targets.put(Target("shop", TargetKind.URL, "https://git.example.org/shop.git", house.clock()))
    return "shop"


def hub(body: bytes, event: str = "push") -> dict[str, str]:
    mac = hmac.new(SECRETS["GITHUB_PUSH"].encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={mac}"}


def scans(house: House) -> list[str]:
    items = house.services.work.claim(["scan"], limit=10)
    for item in items:
        house.services.work.complete(item)
    return [str(item.payload["target"]) for item in items]


def test_githubs_push_has_the_target_scanned(house: House, shop: str) -> None:
    body = json.dumps(PUSHED).encode()
    answer = send(house, "/intake/push", body, hub(body))
    assert (answer.status_code, answer.json()) == (202, {"targets": [shop]})
    assert send(house, "/intake/push", body, hub(body)).status_code == 202
    assert scans(house) == [shop]
    assert send(house, "/intake/push", body, hub(body + b" ")).status_code == 401
    assert send(house, "/intake/push", body, {"X-GitHub-Event": "push"}).status_code == 401
    assert send(house, "/intake/push", body, hub(body, "ping")).json()["targets"] == []
    other = json.dumps({"repository": {"clone_url": "https://git.example.org/other.git"}}).encode()
    assert "no target has" in send(house, "/intake/push", other, hub(other)).json()["reason"]
    assert scans(house) == []


def test_gitlabs_push_by_token_or_signature(house: House, shop: str) -> None:
    project = {"git_http_url": "https://git.example.org/shop.git", "git_ssh_url": "git@git.example.org:shop.git"}
    by_token = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRETS["GITLAB_PUSH"]}
    assert send(house, "/intake/push", {"project": project, "n": 1}, by_token).json() == {"targets": [shop]}
    assert scans(house) == [shop]
    wrong = {**by_token, "X-Gitlab-Token": "not the token at all"}
    assert send(house, "/intake/push", {"project": project, "n": 2}, wrong).status_code == 401
    body = json.dumps({"project": project, "n": 3}).encode()
    now = int(house.clock().timestamp())
    for age, status in ((0, 202), (3600, 401)):
        stamp = str(now - age)
        mac = hmac.new(SECRETS["GITLAB_PUSH"].encode(), f"id.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers = {"webhook-id": "id", "webhook-timestamp": stamp, "X-Gitlab-Event": "Push Hook"}
        headers["webhook-signature"] = f"v1,{b64encode(b'wrong').decode()} v1,{b64encode(mac).decode()}"
        assert send(house, "/intake/push", body, headers).status_code == status
    assert scans(house) == [shop]


def test_what_is_not_set_up_is_not_there(tmp_path: Path) -> None:
    with serving(tmp_path) as house:
        for path in ("/intake/github", "/intake/gitlab", "/intake/push", "/v1/revoke_tokens"):
            answer = send(house, path, [], {"X-GitHub-Event": "push", "Authorization": "x"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_set_up"), path


def test_many_at_once_are_all_taken_in(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(public_keys())
    config = f'[api.intake]\ngithub_keys_file = "{tmp_path / "keys.json"}"\nmax_body = "256 KiB"\nin_flight = "1 MiB"\n'
    with serving(tmp_path, config, clock=Clock()) as house:
        rng = random.Random(5)
        bodies = [
            json.dumps([{"token": keyfuse_key(rng), "type": "t", "url": "u"} for _ in range(40)]).encode()
            for _ in range(60)
        ]
        with ThreadPoolExecutor(60) as pool:
            answers = list(pool.map(lambda body: send(house, "/intake/github", body, signed("Github", body)), bodies))
        assert [answer.status_code for answer in answers] == [200] * 60
        items = house.services.work.claim(["leaks"], limit=1000)
        assert sum(int(item.payload["leaks"]) for item in items) == 2400


def test_clients_need_no_token_where_signatures_are_wanted(house: House) -> None:
    assert Client(house.url)("POST", "/intake/github", data=b"[]").json()["error"]["code"] == "untrusted"
    assert Client(house.url)("POST", "/intake/report", data=b"[]").json()["error"]["code"] == "unauthorized"
