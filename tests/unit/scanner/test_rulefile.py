"""Rule files: what is refused, and in what words. The words are for whoever wrote the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner import rulebook
from scanner.errors import RuleError
from scanner.model import Confidence, Severity
from scanner.rule import Family, Rule

HEAD = 'provider = "acme"\ntitle = "Acme"\n'
KIND = '[[kind]]\nid = "acme-key"\nname = "API key"\nseverity = "high"\n'


def load(tmp_path: Path, text: str) -> tuple[Rule, ...]:
    path = tmp_path / "acme.toml"
    path.write_text(text)
    return tuple(rulebook.load([path]).rules)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(RuleError) as refused:
        load(tmp_path, text)
    return str(refused.value)


def test_the_least_a_rule_needs(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, HEAD + KIND + 'layout = "acme_ + hex{32}"\n')
    assert rule.kind.id == "acme-key"
    assert rule.kind.name == "Acme API key"
    assert rule.kind.provider == "acme"
    assert rule.kind.severity is Severity.HIGH
    assert rule.family is Family.PREFIXED
    assert rule.confidence is Confidence.HIGH
    assert rule.prefix == "acme_"
    assert rule.literals == ("acme_",)
    assert (rule.shortest, rule.before, rule.after) == (37, 37, 0)
    assert rule.reject
    assert not rule.identifier


def test_keywords_make_a_kind_contextual(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, HEAD + KIND + 'layout = "hex{32}"\nkeywords = ["ACME", "acme", "Acme_Key"]\n')
    assert rule.family is Family.CONTEXTUAL
    assert rule.keywords == ("acme", "acme_key")
    assert rule.trigger == ""
    assert rule.value == "[0-9a-f]{32}"
    assert rule.confidence is Confidence.MEDIUM


def test_a_stated_family_wins(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, HEAD + KIND + 'layout = "acm_ + hex{32}"\nkeywords = ["acme"]\nfamily = "prefixed"\n')
    assert rule.family is Family.PREFIXED
    assert rule.trigger == "acm_[0-9a-f]{32}"
    assert rule.keywords == ("acme",)


def test_a_pattern_with_parts_is_structured(tmp_path: Path) -> None:
    pattern = r"pattern = 'acme\.login\((?P<user>\w{1,20}), (?P<secret>\w{8,20})\)'"
    (rule,) = load(tmp_path, HEAD + KIND + pattern)
    assert rule.family is Family.STRUCTURED
    assert rule.value == "[0-9A-Z_a-z]{8,20}"
    assert rule.shortest == 8
    assert rule.notation == "pattern"


def test_everything_a_kind_can_say(tmp_path: Path) -> None:
    other = (
        '[[kind]]\nid = "acme-id"\nname = "key id"\nseverity = "info"\nidentifier = true\nlayout = "acid + digit{6}"\n'
    )
    rule, _ = load(
        tmp_path,
        HEAD
        + 'site = "https://acme.example"\n'
        + KIND
        + 'layout = "acme_ + base62{38}"\ncheck = ["keyfuse"]\ncheck_fails = "low"\nconfidence = "medium"\n'
        + 'filters = ["wordy"]\npairs = [{ name = "id", rule = "acme-id", within = 5, required = true }]\n'
        + 'before = ""\nafter = "word"\nnote = "n"\nsource = "s"\n'
        + other,
    )
    assert rule.checks == ("keyfuse",)
    assert not rule.reject
    assert rule.confidence is Confidence.MEDIUM
    assert rule.filters == ("wordy",)
    assert [(pair.name, pair.rule, pair.within, pair.required) for pair in rule.pairs] == [("id", "acme-id", 5, True)]
    assert rule.pattern == "(?P<secret>acme_[0-9A-Za-z]{38})(?![0-9A-Z_a-z])"
    assert (rule.site, rule.note, rule.source) == ("https://acme.example", "n", "s")


GOOD = 'layout = "acme_ + hex{32}"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "not a TOML file"),
        (HEAD, r"no \[\[kind\]\] table"),
        ('title = "Acme"\n' + KIND + GOOD, "provider is missing"),
        ('provider = "Acme Inc"\ntitle = "Acme"\n' + KIND + GOOD, "lower-case"),
        (HEAD + 'homepage = "x"\n' + KIND + GOOD, "unknown field 'homepage'; there are provider, title, site"),
        (HEAD + KIND + GOOD + 'keyword = ["x"]\n', "unknown field 'keyword'; did you mean 'keywords'?"),
        (HEAD + KIND + GOOD + 'keywords = "x"\n', "keywords must be a list of texts"),
        (HEAD + KIND + GOOD + "identifier = 1\n", "identifier must be true or false"),
        (HEAD + KIND + GOOD + "note = 1\n", "note must be a text"),
        (HEAD + '[[kind]]\nid = "acme-key"\n' + GOOD, "name is missing"),
        (HEAD + KIND.replace("acme-key", "Acme Key") + GOOD, "an id is lower-case"),
        (HEAD + KIND.replace("high", "huge") + GOOD, "severity 'huge' is none of info, low, medium, high, critical"),
        (HEAD + KIND.replace("high", "info") + GOOD, "go together"),
        (HEAD + KIND + GOOD + "identifier = true\n", "go together"),
        (HEAD + KIND, "either a layout or a pattern"),
        (HEAD + KIND + GOOD + 'pattern = "acme"\n', "either a layout or a pattern"),
        (HEAD + KIND + 'layout = "acme_ + hex{32+}"\n', r"layout: cannot read the run .* \(at character 9\)"),
        (HEAD + KIND + 'pattern = "acme_[0-9]+"\n', r"pattern: '\+' has no upper bound.* \(at character 11\)"),
        (HEAD + KIND + "pattern = 'acme_(?P<key>[0-9]{9})'\n", "none named secret"),
        (HEAD + KIND + "pattern = 'ac(?P<secret>[0-9]{9})(?P<secret>a)'\n", "stands twice"),
        (HEAD + KIND + "pattern = 'acme_(?P<secret>[0-9]{0,9})'\n", "can match nothing"),
        (HEAD + KIND + "pattern = 'acme_(?P<secret>[0-9]{2,9})'\n", "as short as 2"),
        (HEAD + KIND + "pattern = 'acme_(?:[0-9]{1,9}){1,9}'\n", "exponential"),
        (HEAD + KIND + 'layout = "acme_ + hex{70000}"\n', "the limit is 65536"),
        (HEAD + KIND + 'layout = "hex{32}"\n', "too broad"),
        (HEAD + KIND + 'layout = "a- + hex{32}"\n', "too broad"),
        (HEAD + KIND + 'layout = "acme + hex{32} or hex{32}"\n', "too broad"),
        (HEAD + KIND + 'layout = "hex{32}"\nfamily = "contextual"\n', "needs keywords"),
        (HEAD + KIND + GOOD + 'family = "odd"\n', "family 'odd' is none of"),
        (HEAD + KIND + GOOD + 'check = "githob"\n', "unknown check 'githob'; did you mean 'github'?"),
        (HEAD + KIND + GOOD + 'check_fails = "maybe"\n', "check_fails is"),
        (HEAD + KIND + GOOD + 'filters = ["wordi"]\n', "unknown filter 'wordi'; did you mean 'wordy'?"),
        (HEAD + KIND + GOOD + 'confidence = "sure"\n', "confidence 'sure' is none of low, medium, high"),
        (HEAD + KIND + GOOD + 'pairs = [{ name = "id", rule = "nope" }]\n', "there is no rule 'nope'"),
        (HEAD + KIND + GOOD + 'pairs = [{ name = "id" }]\n', "name and rule are needed"),
        (HEAD + KIND + GOOD + 'pairs = [{ name = "id", rule = "x", withn = 1 }]\n', "did you mean 'within'"),
        (HEAD + KIND + GOOD + 'pairs = [{ name = "id", rule = "x", within = "1" }]\n', "within must be a number"),
        (HEAD + KIND + GOOD + 'before = "acme"\n', "unknown alphabet 'acme'"),
        (HEAD + KIND + GOOD + 'before = "uuid"\n', "unknown alphabet 'uuid'"),
        (HEAD + KIND + GOOD + KIND + GOOD, "this id stands in .*acme.toml already"),
    ],
)
def test_refusals(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(RuleError, match=reason) as refused:
        load(tmp_path, text)
    assert "acme.toml" in str(refused.value)


def test_fixed_text_may_stand_at_the_end(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, HEAD + KIND + 'layout = "any{9-300} + acme"\n')
    assert rule.trigger == r"[!-\~]{8}acme"
    assert rule.before == 304


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, HEAD + KIND + 'layout = "hex{32}"\n' + KIND.replace("key", "other") + "layout = 'a{}'\n")
    assert said.count("\n") == 1
    assert "rule acme-key: too broad" in said
    assert "rule acme-other: layout:" in said


def test_a_kind_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    assert "rule number 1: id is missing" in refusal(tmp_path, HEAD + '[[kind]]\nname = "x"\nseverity = "low"\n' + GOOD)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        rulebook.load([tmp_path / "none.toml"])
