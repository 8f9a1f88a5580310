"""What names promise."""

import pytest

from scanner.credentialnames import Promise, Sense, sense


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("password", Promise.PASSWORD),
        ("DB_PASS", Promise.PASSWORD),
        ("userPass", Promise.PASSWORD),
        ("dbpass", Promise.PASSWORD),
        ("rootpw", Promise.PASSWORD),
        ("config.newPassword", Promise.PASSWORD),
        ("kennwort", Promise.PASSWORD),
        ("密码", Promise.PASSWORD),
        ("пароль", Promise.PASSWORD),
        ("clientSecret", Promise.SECRET),
        ("vault_secret_id", Promise.SECRET),
        ("AWS_SECRET_ACCESS_KEY", Promise.KEY),
        ("x-api-key", Promise.KEY),
        ("apikey", Promise.KEY),
        ("_authToken", Promise.TOKEN),
        ("oauth_token", Promise.TOKEN),
        ("Proxy-Authorization", Promise.AUTH),
        ("authCode", Promise.AUTH),
    ],
)
def test_names_that_promise_a_secret(name: str, promise: Promise) -> None:
    assert sense(name.encode()) == Sense(promise, plain=True)


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("password_staging", Promise.PASSWORD),
        ("tokens", Promise.TOKEN),
        ("auth", Promise.AUTH),
        ("weatherKey", Promise.LABEL),
    ],
)
def test_names_that_promise_it_less_plainly(name: str, promise: Promise) -> None:
    assert sense(name.encode()) == Sense(promise, plain=False)


@pytest.mark.parametrize(
    "name",
    [
        "token_type",
        "maxTokens",
        "next_page_token",
        "passwordField",
        "password_reset_url",
        "PASSWORD_HASH",
        "secretName",
        "JWT_SECRET_FILE",
        "accessKeyId",
        "publicKey",
        "primary_key",
        "tokenizer",
        "passwordless",
        "compass",
        "bypass",
        "author",
        "oauth_url",
        "username",
        "htpasswd_realm",
        "showPassword",
        "",
    ],
)
def test_names_that_promise_none(name: str) -> None:
    assert sense(name.encode()) is None
