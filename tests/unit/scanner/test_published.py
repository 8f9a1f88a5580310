"""Values that everybody knows."""

import pytest

from scanner import nonsecrets
from scanner.filters import ALWAYS
from scanner.published import published


@pytest.mark.parametrize(
    "value",
    [
        b"2YotnFZF" + b"Ejr1zCsicMWpAA",
        b"QWxhZGRpbj" + b"pvcGVuIHNlc2FtZQ==",
        b"6bec40cf957de430" + b"a6f1f2baa056b99a4fac9ea0",
        b"header.claims." + b"SflKxwRJSMeKKF2QT4fwp" + b"MeJf36POk6yJV_adQssw5c",
    ],
)
def test_examples_of_specifications_are_known(value: bytes) -> None:
    assert published(value)
    assert any(judges(value) for judges in ALWAYS)
    assert nonsecrets.why(value)


def test_other_values_are_not() -> None:
    assert not published(b"2YotnFZF" + b"Ejr1zCsicMWpAB")
    assert not published(b"")
