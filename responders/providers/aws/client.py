"""AWS's APIs for the AWS provider: botocore signs, writes and reads the messages; they travel through the caller.

botocore, on which boto3 stands, is an extra (`keyfuse[aws]`). It gets no host from anywhere but the configuration, it
repeats nothing, and every request leaves through `Caller`, so that time-outs, limits, redirects and hosts are guarded
as everybody's are. Only where AWS's own tools look for credentials (an instance's role) it asks by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader
from botocore.parsers import ResponseParserError
from botocore.session import Session

from responders.calling import Caller
from responders.errors import ProviderError
from responders.gate import wait_of
from responders.http import NoAnswer
from responders.provider import Receipt, Refused, Uncertain
from responders.providers.asking import text_of, word
from scanner.model import Secret

REGION = "us-east-1"
"""Where IAM lives, and what its messages are signed for."""
THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
GONE = "NoSuchEntity"
MOST_CLIENTS = 32
ROLE_LASTS = timedelta(minutes=15)
"""How long an assumed role is used before it is assumed anew; the shortest that AWS gives it for."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that brought no result. `code` is AWS's own word, where AWS answered."""

    code: str
    status: int
    reason: str
    sent: bool
    again_after: float | None = None

    def receipt(self, needs: str) -> Receipt:
        """What it means for a change. `needs` is the IAM action that it takes."""
        if not self.sent or self.code in THROTTLED or self.status == 429:
            return Refused(self.reason, for_good=False, again_after=self.again_after)
        if self.code in DENIED:
            return Refused(f"{self.reason}; it takes {needs}")
        if self.code and 400 <= self.status < 500:
            return Refused(self.reason)
        return Uncertain(self.reason)


Result = Mapping[str, Any] | Failure


@cache
def _loader() -> Any:
    """AWS's service models, read once."""
    return create_loader()


class Lost(Exception):
    """No answer came that botocore could read; carries what that means."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class _Body:
    """An answer's body, in the form that botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials to sign with; their access key id is no secret."""

    key_id: str
    secret: Secret
    token: Secret | None = None


class AwsClient:
    """Calls IAM and STS, as keyfuse or as somebody else. `role` is assumed in accounts other than keyfuse's own."""

    def __init__(self, caller: Caller, clock: Callable[[], datetime]) -> None:
        self._caller = caller
        self._clock = clock
        self._session: Any = None
        self._own_account = ""
        self._partition = "aws"
        self._roles: dict[str, tuple[datetime, Login]] = {}
        self._clients: dict[tuple[str, str], Any] = {}

    def own_key_id(self) -> str:
        """The id of the access key that keyfuse itself works with. Raises ProviderError when it has none."""
        try:
            found = self._own().get_credentials()
        except BotoCoreError as error:
            raise ProviderError(f"[provider.aws] has no credentials ({type(error).__name__}); check profile") from None
        if found is None:
            raise ProviderError(
                "[provider.aws] has no credentials: set access_key_id and secret_access_key_env, or profile, or what "
                "AWS's own tools look for"
            )
        return str(found.get_frozen_credentials().access_key)

    def sts(self, operation: str, login: Login | None = None, **arguments: object) -> Result:
        """One call of STS, with keyfuse's own credentials or with these."""
        return self._call("sts", operation, login, arguments)

    def iam(self, account: str, operation: str, **arguments: object) -> Result:
        """One call of IAM in that account."""
        login = self._login_for(account)
        return login if isinstance(login, Failure) else self._call("iam", operation, login, arguments)

    def own_account(self) -> str | Failure:
        """The account of keyfuse's own credentials."""
        if not self._own_account:
            found = self.sts("get_caller_identity")
            if isinstance(found, Failure):
                return found
            self._own_account = str(found.get("Account", ""))
            self._partition = word(str(found.get("Arn", "")).partition(":")[2].partition(":")[0]) or "aws"
        return self._own_account

    def _login_for(self, account: str) -> Login | Failure | None:
        """What to sign with in that account; None is keyfuse's own."""
        own = self.own_account()
        if isinstance(own, Failure) or own == account:
            return own if isinstance(own, Failure) else None
        since, login = self._roles.get(account, (None, None))
        if since is not None and self._clock() - since < ROLE_LASTS - timedelta(minutes=2):
            return login
        role = self._caller.option("role")
        if not role:
            return Failure("", 0, f"account {account} is not keyfuse's own, and no role is configured for it", False)
        arn = f"arn:{self._partition}:iam::{account}:role/{role}"
        found = self.sts(
            "assume_role", RoleArn=arn, RoleSessionName="keyfuse", DurationSeconds=int(ROLE_LASTS.total_seconds())
        )
        if isinstance(found, Failure):
            return Failure(found.code, found.status, f"the role in account {account}: {found.reason}", sent=False)
        made = found.get("Credentials", {})
        login = Login(
            str(made.get("AccessKeyId")),
            Secret(str(made.get("SecretAccessKey")).encode()),
            Secret(str(made.get("SessionToken")).encode()),
        )
        self._roles[account] = (self._clock(), login)
        return login

    def _own(self) -> Any:
        if self._session is None:
            session = Session(profile=self._caller.option("profile") or None)
            session.register_component("data_loader", _loader())
            if key_id := self._caller.option("access_key_id"):
                session.set_credentials(key_id, text_of(self._caller.credential("secret_access_key")))
            self._session = session
        return self._session

    def _call(self, service: str, operation: str, login: Login | None, arguments: Mapping[str, object]) -> Result:
        client = self._client(service, login)
        try:
            result: Mapping[str, Any] = getattr(client, operation)(**arguments)
        except Lost as lost:
            return lost.failure
        except ClientError as error:
            code = word(error.response.get("Error", {}).get("Code"))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            code = "" if code.isdigit() else code
            return Failure(code, status, f"AWS answered {code or status} to {operation}", sent=True)
        except BotoCoreError as error:
            return Failure("", 0, f"AWS could not be asked ({type(error).__name__} at {operation})", sent=False)
        except (ResponseParserError, ValueError, TypeError, KeyError, AttributeError):
            return Failure("", 0, f"what came back from {operation} is no answer of AWS's", sent=True)
        if not result.get("ResponseMetadata", {}).get("RequestId"):
            return Failure("", 0, f"what came back from {operation} is no answer of AWS's", sent=True)
        return result

    def _client(self, service: str, login: Login | None) -> Any:
        """A client that signs as somebody; keyfuse's own and its roles' are kept, since making one takes long."""
        if login is not None and login not in [role for _, role in self._roles.values()]:
            return self._new_client(service, login)
        kept = (service, login.key_id if login else "")
        if kept not in self._clients:
            if login is None:
                self.own_key_id()
            if len(self._clients) >= MOST_CLIENTS:
                self._clients.clear()
            self._clients[kept] = self._new_client(service, login)
        return self._clients[kept]

    def _new_client(self, service: str, login: Login | None) -> Any:
        keys = {}
        if login is not None:
            keys = {
                "aws_access_key_id": login.key_id,
                "aws_secret_access_key": text_of(login.secret),
                "aws_session_token": text_of(login.token) if login.token else None,
            }
        client = self._own().create_client(
            service,
            region_name=REGION,
            endpoint_url=self._caller.base(service),
            config=Config(
                retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True, signature_version="v4"
            ),
            **keys,
        )
        client.meta.events.register("before-send", self._carrier(service))
        return client

    def _carrier(self, service: str) -> Callable[..., AWSResponse]:
        """Sends what botocore has signed, in botocore's stead."""

        def carry(request: AWSPreparedRequest, **_: object) -> AWSResponse:
            path = str(request.url).removeprefix(self._caller.base(service)) or "/"
            headers = {_plain(name): _plain(value) for name, value in request.headers.items()}
            body = request.body.encode() if isinstance(request.body, str) else request.body
            answer = self._caller.send(request.method, path, service=service, headers=headers, body=body)
            if isinstance(answer, NoAnswer):
                raise Lost(Failure("", 0, answer.reason, answer.sent))
            if answer.status == 429:
                wait = wait_of(answer.headers.get("Retry-After", ""), datetime.now(UTC))
                raise Lost(Failure("", 429, "AWS wants to be asked less often (429)", True, wait))
            if 300 <= answer.status < 400:
                raise Lost(Failure("", 0, "AWS answered with a redirect, which is not followed; check its url", True))
            return AWSResponse(request.url, answer.status, dict(answer.headers), _Body(answer.body))

        return carry


def _plain(text: str | bytes) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else str(text)
