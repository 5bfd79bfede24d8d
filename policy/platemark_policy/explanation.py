"""Put a recorded decision into plain sentences, in English or Korean.

One rule: it reads the record only; it neither decides again nor needs the prompt.
"""

from collections.abc import Iterator, Mapping

from platemark_policy.errors import PolicyError
from platemark_policy.references import NOT_LOOKED_AT
from platemark_provenance.digest import JsonValue

_VERDICTS = {
    "en": {"allow": "This may go on.", "review": "This waits for an editor.", "block": "This is refused."},
    "ko": {"allow": "진행할 수 있습니다.", "review": "편집자의 판단을 기다립니다.", "block": "거부되었습니다."},
}
_WORDS = {
    "en": {
        "asks": "{rule} ({category}) asks for {action}: {reason}",
        "where": "  It points at characters {start} to {end} of the {stage}.",
        "may": "  An editor may let it pass.",
        "never": "  Nobody may let it pass.",
        "layer": "  Found by: {layer}.",
        "degraded": "Not checked: {part}.",
        "unseen": "Nobody looked at pictures for nudity: no network for it is installed here (platemark[screening]).",
        "consent": "A record of consent was looked at: {record}.",
        "pack": "Decided with the pack {id} {version} (sha256 {sha256}).",
        "permissive": "The pack is one for tests only; nothing made with it may be published.",
    },
    "ko": {
        "asks": "{rule} ({category}) → {action}: {reason}",
        "where": "  {stage}의 {start}~{end}번째 글자를 가리킵니다.",
        "may": "  편집자가 통과시킬 수 있습니다.",
        "never": "  누구도 통과시킬 수 없습니다.",
        "layer": "  찾은 층: {layer}.",
        "degraded": "확인하지 못함: {part}.",
        "unseen": "나체 여부를 확인하지 않았습니다. 신경망이 설치되어 있지 않습니다(platemark[screening]).",
        "consent": "동의 기록을 확인했습니다: {record}.",
        "pack": "규칙 묶음 {id} {version} (sha256 {sha256})로 결정했습니다.",
        "permissive": "시험용 규칙 묶음입니다. 이것으로 만든 것은 내보낼 수 없습니다.",
    },
}


def explain_record(record: JsonValue, *, language: str) -> tuple[str, ...]:
    """Give the sentences about a decision that `Decision.to_json` wrote.

    Args:
        record: the JSON object.
        language: `ko` for Korean, anything else for English.

    Raises:
        PolicyError: it is not a decision.
    """
    if not isinstance(record, Mapping) or record.get("verdict") not in _VERDICTS["en"]:
        raise PolicyError("Expected the JSON of a decision, with its verdict.", fix="Save it from: policy check --json")
    return tuple(_sentences(record, "ko" if language == "ko" else "en"))


def _sentences(record: Mapping[str, JsonValue], language: str) -> Iterator[str]:
    words = _WORDS[language]
    yield _VERDICTS[language][str(record["verdict"])]
    for finding in _objects(record.get("findings")):
        reasons = finding.get("reason")
        reason = reasons.get(language, "") if isinstance(reasons, Mapping) else ""
        yield words["asks"].format(
            rule=finding.get("rule_id"), category=finding.get("category"), action=finding.get("action"), reason=reason
        )
        span = finding.get("span")
        if isinstance(span, list) and len(span) == 2:
            yield words["where"].format(start=span[0], end=span[1], stage=finding.get("stage"))
        yield words["may" if finding.get("overridable") is True else "never"]
        yield words["layer"].format(layer=finding.get("layer"))
    degraded = record.get("degraded")
    for part in degraded if isinstance(degraded, list) else ():
        yield words["unseen"] if part == NOT_LOOKED_AT else words["degraded"].format(part=part)
    consents = record.get("consent_ids")
    for consent in consents if isinstance(consents, list) else ():
        yield words["consent"].format(record=consent)
    pack = record.get("pack")
    if isinstance(pack, Mapping):
        yield words["pack"].format(id=pack.get("id"), version=pack.get("version"), sha256=str(pack.get("sha256"))[:16])
    if record.get("is_permissive") is True:
        yield words["permissive"]


def _objects(value: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    return (each for each in (value if isinstance(value, list) else ()) if isinstance(each, Mapping))
