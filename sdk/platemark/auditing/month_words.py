"""The words of the monthly report, in English and Korean, and its numbers arranged for a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from platemark_provenance.axes import Language
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.month import DECISIONS, MonthCounts

Bars: TypeAlias = Mapping[str, list[dict[str, JsonValue]]]
"""For each name, the parts of its bar."""
MOST_BARS = 25
"""In one chart; the table has all."""

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Audit report {month}",
        "subtitle": "{publisher} · {first} to {last}, {zone}",
        "decision": "Policy decisions",
        "desk": "Policy decisions by desk",
        "reason": "Reasons for review and block",
        "model": "Clips published by model",
        "event": "Events in the log",
        "desk_note": "A clip has a decision on its prompt and one on its frames.",
        "reason_note": "Rules named by decisions; one decision can name several.",
        "nothing": "Nothing in this month.",
        "allow": "allowed",
        "review": "held for review",
        "block": "blocked",
        "-": "(none given)",
        "more": "{count} more are in the table.",
        "foot": "Counted from the audit log when it had {size} events; its root was {root}. People do not appear.",
        "count": "Count",
        "name": "Name",
    },
    "ko": {
        "title": "감사 보고서 {month}",
        "subtitle": "{publisher} · {first}부터 {last}까지, {zone}",
        "decision": "정책 판정",
        "desk": "부서별 정책 판정",
        "reason": "검토와 차단의 이유",
        "model": "모델별 발행 클립",
        "event": "기록의 사건",
        "desk_note": "클립마다 프롬프트 판정과 장면 판정이 하나씩 있습니다.",
        "reason_note": "판정에 나온 규칙입니다. 한 판정에 여러 규칙이 나올 수 있습니다.",
        "nothing": "이 달에는 없습니다.",
        "allow": "허용",
        "review": "검토 대기",
        "block": "차단",
        "-": "(없음)",
        "more": "나머지 {count}건은 표에 있습니다.",
        "foot": "감사 기록이 {size}건일 때 집계했으며 당시 루트는 {root}입니다. 개인은 나오지 않습니다.",
        "count": "건수",
        "name": "이름",
    },
}


@dataclass(frozen=True, slots=True)
class ReportFrame:
    """What a report says about itself: the month, whose, and in which words."""

    month: str
    publisher: str
    zone: str
    language: Language


def words_of_report(language: Language) -> Mapping[str, str]:
    """Give the report's words in a language."""
    return _WORDS[language]


def arranged(counts: MonthCounts, frame: ReportFrame) -> dict[str, JsonValue]:
    """Give the report as a page shows it: title, sections with bars, legend, foot."""
    words = _WORDS[frame.language]
    last = counts.span.until - timedelta(days=1)
    desks: Bars = {
        _named(words, desk): [{"kind": kind, "count": parts.get(kind, 0)} for kind in _kinds(parts)]
        for desk, parts in counts.desks.items()
    }
    outcomes = counts.decisions if any(counts.decisions.values()) else {}
    decisions: Bars = {_named(words, name): [{"kind": name, "count": count}] for name, count in outcomes.items()}
    return {
        "lang": frame.language,
        "title": words["title"].format(month=frame.month),
        "subtitle": words["subtitle"].format(
            publisher=frame.publisher, first=counts.span.since.date(), last=last.date(), zone=frame.zone
        ),
        "nothing": words["nothing"],
        "legend": [{"kind": name, "name": words[name]} for name in DECISIONS],
        "foot": words["foot"].format(size=counts.size, root=counts.root),
        "sections": [
            _section(words, "decision", decisions),
            _section(words, "desk", desks, note=words["desk_note"]),
            _section(words, "reason", _single(words, counts.reasons), note=words["reason_note"]),
            _section(words, "model", _single(words, counts.models)),
            _section(words, "event", _single(words, counts.events)),
        ],
    }


def _section(words: Mapping[str, str], name: str, bars: Bars, *, note: str = "") -> dict[str, JsonValue]:
    rows: list[JsonValue] = [{"name": label, "parts": parts} for label, parts in list(bars.items())[:MOST_BARS]]
    more = len(bars) - len(rows)
    notes = [note, words["more"].format(count=more) if more > 0 else ""]
    return {"name": name, "title": words[name], "note": " ".join(each for each in notes if each), "rows": rows}


def _single(words: Mapping[str, str], counts: Mapping[str, int]) -> Bars:
    return {_named(words, name): [{"kind": "", "count": count}] for name, count in counts.items()}


def _kinds(outcomes: Mapping[str, int]) -> tuple[str, ...]:
    return (*DECISIONS, *sorted(outcomes.keys() - set(DECISIONS)))


def _named(words: Mapping[str, str], name: str) -> str:
    return words[name] if name in (*DECISIONS, "-") else name
