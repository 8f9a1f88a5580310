"""The settings of the daemon's HTTP side: `[api]` and `[api.intake]`. Light, as `keyfuse.config` is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from keyfuse.kinds import Duration, FilePath, Flag, Size, Text, Texts, Whole
from keyfuse.settings import Group, Section

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Intake(Section):
    """What other services may report to the daemon, and how it knows them."""

    github_keys_url = Text(
        "", "Where GitHub's public keys are; https://api.github.com/meta/public_keys/secret_scanning at github.com."
    )
    github_keys_file = FilePath(None, "Public keys in GitHub's form, instead of fetching them.")
    gitlab_keys_url = Text("", "Where the public keys of GitLab's partner program are, in GitHub's form.")
    gitlab_keys_file = FilePath(None, "Public keys in GitHub's form, instead of fetching them.")
    github_push_env = Text("", "The environment variable that holds the secret of GitHub's push webhooks.")
    github_push_file = FilePath(None, "The file that holds it, instead of a variable.")
    gitlab_push_env = Text("", "The environment variable that holds the secret or signing token of GitLab's webhooks.")
    gitlab_push_file = FilePath(None, "The file that holds it, instead of a variable.")
    revocation_token_env = Text("", "The environment variable with the token of GitLab's token revocation API.")
    revocation_token_file = FilePath(None, "The file that holds it, instead of a variable.")
    revocable_types = Texts((), "The token types that GitLab shall report for revocation, as GitLab names them.")
    max_body = Size(32 << 20, "The largest report that is taken in; larger ones are refused.")
    max_tokens = Whole(50_000, "The most leaks in one report.", least=1)
    in_flight = Size(64 << 20, "The most bytes of reports that are taken in at once; further ones wait.")
    replay_window = Duration(timedelta(hours=24), "A signed report that is sent again within this time does nothing.")

    def faults(self) -> Iterator[str]:
        """One source for each secret."""
        for name in ("github_push", "gitlab_push", "revocation_token"):
            if getattr(self, f"{name}_env") and getattr(self, f"{name}_file"):
                yield f"has both {name}_env and {name}_file; keep one of them"
        if self.in_flight < self.max_body:
            yield "has an in_flight below max_body, so that no large report would ever be taken in"


class Api(Section):
    """The daemon's HTTP side."""

    enabled = Flag(True, "Whether the daemon listens at all.")
    listen = Text("127.0.0.1", "The address to listen on; others than this machine's own need TLS.")
    port = Whole(8765, "The port to listen on; 0 takes a free one.", most=65535)
    tls_certificate = FilePath(None, "The certificate chain (PEM); with it, HTTPS alone is spoken.")
    tls_key = FilePath(None, "The certificate's private key (PEM).")
    behind_proxy = Flag(False, "Whether a proxy in front speaks TLS; needed to listen on other addresses without it.")
    trusted_proxies = Texts((), "Addresses of proxies whose X-Forwarded-For is believed.")
    requests_per_minute = Whole(600, "The most requests of one user, or of one address, in a minute.", least=1)
    refusals_per_minute = Whole(30, "After so many refused tokens or signatures in a minute an address waits.", least=1)
    max_body = Size(1 << 20, "The largest request body outside the intakes.")
    intake = Group(Intake, "Reports that come from outside. What is not set up answers 404.")

    def faults(self) -> Iterator[str]:
        """TLS is whole, and nothing is said in the clear on a network."""
        if (self.tls_certificate is None) != (self.tls_key is None):
            yield "needs both tls_certificate and tls_key, or neither"
        elif self.tls_certificate is None and self.listen not in LOOPBACK and not self.behind_proxy:
            yield (
                f"listens on {self.listen} without TLS, where tokens could be read on the way; set tls_certificate and "
                "tls_key, or behind_proxy = true where a proxy on this machine or network speaks TLS"
            )
