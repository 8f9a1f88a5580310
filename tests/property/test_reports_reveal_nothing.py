"""Whatever the findings hold and wherever it also stands, no format shows a plaintext unasked."""

from __future__ import annotations

import io
import json
from html import escape
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model import Origin, Place, Skipped, Suppressed
from scanner.report import FORMATS, write
from scanner.report.model import ActionNote, KeyNote, Report, Reported
from tests.support.findings import finding, report

MARK = "¤"
"""Stands somewhere in every secret, and in no format's own words."""

CHARACTERS = st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cs"])
SECRETS = st.builds("{}{}{}".format, st.text(CHARACTERS, min_size=6), st.just(MARK), st.text(CHARACTERS, min_size=6))


@st.composite
def texts(draw: st.DrawFn, secrets: list[str]) -> str:
    """A text that may have any of the secrets in it, glued to anything."""
    pieces = st.one_of(
        st.sampled_from(secrets), st.text(max_size=5), st.sampled_from(["/", "!", "\n", "\udcfe", "\x1b"])
    )
    return "".join(draw(st.lists(pieces, max_size=6)))


def written(form: str, what: Report) -> str:
    out = io.StringIO()
    write(form, what, out)
    return out.getvalue()


def forms_of(secret: str) -> set[str]:
    """How the formats would write it."""
    return {secret, json.dumps(secret)[1:-1], escape(secret), quote(secret)}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_format_reveals_a_secret(data: st.DataObject) -> None:
    secrets = data.draw(st.lists(SECRETS, min_size=1, max_size=4))
    words = texts(secrets)

    def word() -> str:
        return data.draw(words)

    items = []
    for secret in secrets:
        origin = Origin(Place.BLOB, word(), (word(),), word(), word(), word(), word(), word(), word())
        found = finding(secret.encode(), masked=word(), origin=origin, encoding=(word(),))
        key = KeyNote(word(), word(), word(), "none", "active")
        items.append(Reported(found, key, ActionNote("none", "noted", word())))
    what = report(items, suppressed=[Suppressed(items[0].finding, "inline", word())], skipped=[Skipped(word(), word())])
    for form in FORMATS:
        text = written(form, what)
        for secret in secrets:
            assert not any(each in text for each in forms_of(secret)), form
