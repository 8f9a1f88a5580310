"""The fakes, as clients see them that nobody here wrote: where those are content, the fakes are in shape."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import boto3
import github
import gitlab
import pytest
import slack_sdk
from botocore.exceptions import ClientError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from slack_sdk.errors import SlackApiError

from responders.assertion import signed
from scanner.model import Secret
from tests.support.fakes import Fake
from tests.support.fakes.aws import ACCOUNT, Aws
from tests.support.fakes.github import Github
from tests.support.fakes.gitlab import Gitlab
from tests.support.fakes.google import OWN, OWN_KEY, Google, pem
from tests.support.fakes.slack import Slack
from tests.support.tokens import github_token, text

RNG = random.Random(6)
F = TypeVar("F", bound=Fake)


@contextmanager
def running(fake: F) -> Iterator[F]:
    try:
        yield fake
    finally:
        fake.close()


def test_pygithub_reads_the_user_until_the_token_is_revoked() -> None:
    token = github_token(RNG)
    with running(Github()) as fake:
        fake.add(token, "octocat")
        client = github.Github(base_url=fake.url, auth=github.Auth.Token(token), retry=None)
        assert client.get_user().login == "octocat"
        anonymous = github.Github(base_url=fake.url, retry=None)
        status, _, _ = anonymous.requester.requestJson("POST", "/credentials/revoke", input={"credentials": [token]})
        assert status == 202
        with pytest.raises(github.BadCredentialsException):
            _ = client.get_user().login


def test_python_gitlab_reads_and_revokes_its_own_token_and_others() -> None:
    own, other = ("glpat" + "-" + text(RNG, 20) for _ in range(2))
    with running(Gitlab(admin="administrator")) as fake:
        fake.add(own)
        fake.add(other)
        client = gitlab.Gitlab(fake.url, private_token=own)
        assert client.personal_access_tokens.get("self").active
        client.personal_access_tokens.delete("self")
        with pytest.raises(gitlab.GitlabAuthenticationError):
            client.personal_access_tokens.get("self")
        administrator = gitlab.Gitlab(fake.url, private_token="administrator")
        number = fake.state["tokens"][other]["id"]
        administrator.personal_access_tokens.delete(number)
        assert administrator.personal_access_tokens.get(number).revoked


def test_slack_sdk_tests_and_revokes() -> None:
    token = "-".join(("xoxb", text(RNG, 12, "0123456789"), text(RNG, 12, "0123456789"), text(RNG, 24)))
    with running(Slack()) as fake:
        fake.add(token)
        client = slack_sdk.WebClient(token, base_url=f"{fake.url}/")
        assert client.auth_test()["team_id"] == "T1"
        assert client.auth_revoke(test=True)["revoked"] is False
        assert client.auth_revoke()["revoked"] is True
        with pytest.raises(SlackApiError, match="token_revoked"):
            client.auth_test()


def test_google_auth_logs_in_with_the_key_file() -> None:
    with running(Google()) as fake:
        info: dict[str, Any] = json.loads(fake.key_file())
        credentials = service_account.Credentials.from_service_account_info(info, scopes=["x"])  # type: ignore[no-untyped-call]
        credentials.refresh(Request())
        assert credentials.token


def test_the_assertion_is_the_one_that_google_auth_would_sign() -> None:
    from google.auth import crypt, jwt

    claims = {"iss": OWN, "scope": "x", "aud": "https://oauth2.example/token", "iat": 1, "exp": 3601}
    theirs = jwt.encode(crypt.RSASigner.from_string(pem(), OWN_KEY), claims)  # type: ignore[no-untyped-call]
    ours = signed(claims, Secret(pem().encode()), key_id=OWN_KEY)
    decoded = [jwt._unverified_decode(token)[:2] for token in (theirs, ours)]  # type: ignore[no-untyped-call]
    assert decoded[0] == decoded[1]


def test_boto3_finds_disables_and_deletes_a_key() -> None:
    with running(Aws()) as fake:
        keys = {"aws_access_key_id": "own", "aws_secret_access_key": "own", "region_name": "us-east-1"}
        iam = boto3.client("iam", endpoint_url=fake.url, **keys)
        iam.create_user(UserName="boto")
        key = iam.create_access_key(UserName="boto")["AccessKey"]["AccessKeyId"]
        assert iam.get_access_key_last_used(AccessKeyId=key)["UserName"] == "boto"
        assert boto3.client("sts", endpoint_url=fake.url, **keys).get_caller_identity()["Account"] == ACCOUNT
        iam.update_access_key(UserName="boto", AccessKeyId=key, Status="Inactive")
        assert iam.list_access_keys(UserName="boto")["AccessKeyMetadata"][0]["Status"] == "Inactive"
        iam.delete_access_key(UserName="boto", AccessKeyId=key)
        assert (fake.changes, fake.names[-3:]) == (4, ["disable", "read", "delete"])
        with pytest.raises(ClientError, match="NoSuchEntity"):
            iam.delete_access_key(UserName="boto", AccessKeyId=key)
