"""All that keyfuse knows of each vendor's API: recipes (data, `<name>.toml`) and Python for what no recipe can say.

How to add a provider
---------------------
The name is the `provider` of its rule file in `rules/builtin/`; that is how a finding gets to its provider.

One request and a table of statuses for each of identify, disable and delete: write `<name>.toml`, no Python. The format
is described in `responders.recipe`; docs/providers.md and `keyfuse providers list|show|test` follow from it.

Anything else: write `<name>.py` with

    ABOUT = About("aws", "Amazon Web Services", abilities=(Ability(…),), services=(Service("https://…"),),
                  credentials=(CredentialNeed("access_key", why, permissions),), options=(OptionNeed(…),), …)

    class AwsProvider: …            # responders.provider.Provider; may also have `trials` (responders.about.Triable)

    def make(desk: Desk) -> Provider:
        return AwsProvider(desk)

and name the module in `responders.catalog.CODED`. What `ABOUT` declares becomes the settings of `[provider.aws]`
(`access_key_env|_file|_keyring`, `account`, `base_url` or `<service>_url`), their checks, the table of capabilities and
the page. At work:

- `desk.caller.send(method, path, service=…, …)` is the only HTTP there is: hosts, TLS, time-outs, limits, 429 and the
  circuit breaker are its business. It returns `Answer` or `NoAnswer(sent)`: a change that is `sent` without an answer
  (or answered 5xx) is `Uncertain`, one that is not sent is `Refused(for_good=False)`.
- `desk.caller.credential("access_key")` is a `Secret` or raises ProviderError, which names the missing setting.
- `desk.caller.option("account")`, `desk.clock()`, `desk.fingerprinter`.
- `Once().do(idempotency_key, change)` (`responders.providers.once`) where the API has no idempotency keys.
- Never act on keyfuse's own credential: `responders.policy` compares fingerprints with every configured credential;
  a provider that finds keys by id or mask compares the ids as well, and answers `Refused`.
- A fact that is not verified is marked with its tag in `evidence` or a docstring, and both answers are tolerated.

How to add its fake and harness
-------------------------------
`tests/support/fakes/<name>.py`: a `Fake` (`tests.support.fakes`) written from the vendor's documentation, never from
the provider's code: routes over keys in memory. It counts changes, keeps every request, checks that no secret is in a
URL, and does the faults (429, 500 before and after the effect, dropped, slow, garbled, HTML, redirect, stale).

`tests/contract/harness_<name>.py`: a `VendorHarness` (`tests.contract.vendor`) for each sort of key, listed in a
mapping `HARNESSES` of that module; `tests.contract.provider_worlds` collects the modules that it names in `WORLDS`.
The contract suites then run each leak action × state × fault over it.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = str(Path(__file__).parent)
"""Where the recipes lie."""
