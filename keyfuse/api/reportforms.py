"""How the reports look that /intake/report takes, for the OpenAPI description."""

from __future__ import annotations

from typing import Any

STRING = {"type": "string"}
TEXT: dict[str, Any] = {}
"""What is shown as text whatever it is: a report with an odd line number is better than none."""
WHOLE: dict[str, Any] = {}


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_REGION = _object((), startLine=WHOLE, snippet=_object((), text=TEXT))
_LOCATION = _object((), physicalLocation=_object((), artifactLocation=_object((), uri=TEXT), region=_REGION))
_RESULT = _object(
    (), ruleId=TEXT, locations=_array(_LOCATION), partialFingerprints={"type": "object", "additionalProperties": TEXT}
)
_DRIVER = _object(("driver",), driver=_object(("name",), name=TEXT))
SARIF = _object(("runs",), runs=_array(_object(("tool",), tool=_DRIVER, results=_array(_RESULT))))
GITLEAKS = _array(
    _object(
        ("RuleID", "File", "Secret"), RuleID=TEXT, File=TEXT, Secret=TEXT, StartLine=WHOLE, Commit=TEXT, Author=TEXT
    )
)
_METADATA = _object(("Data",), Data=_object((), Git=_object((), file=TEXT, line=WHOLE, commit=TEXT, email=TEXT)))
TRUFFLEHOG = _object(("SourceMetadata", "Raw"), SourceMetadata=_METADATA, Raw=STRING, DetectorName=TEXT)
_SNIPPET = _object(("snippet",), snippet=TEXT, path=TEXT, line=WHOLE)
_KINGFISHER = _object(("rule", "finding"), rule=_object((), id=TEXT), finding=_SNIPPET)
KINGFISHER = _object(("findings",), findings=_array(_KINGFISHER))
_HASHED = _object(("type",), type=TEXT, line_number=WHOLE)
DETECT_SECRETS = _object(
    ("results", "plugins_used"),
    results={"type": "object", "additionalProperties": _array(_HASHED)},
    plugins_used={"type": "array"},
)
REPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A report as its scanner writes it, also as JSON lines.",
        "content": {
            "application/json": {
                "schema": {"anyOf": [SARIF, GITLEAKS, TRUFFLEHOG, KINGFISHER, DETECT_SECRETS]},
            }
        },
    }
}
