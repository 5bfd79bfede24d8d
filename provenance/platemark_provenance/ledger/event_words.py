"""What happened, in one sentence for people, in English and Korean.

One rule: a sentence says only what its event holds; a kind that is not known here is shown by its own name.
"""

from collections.abc import Mapping, Sequence

from platemark_provenance.axes import Language
from platemark_provenance.digest import JsonValue
from platemark_provenance.ledger.event import Event, EventType, SealedState

LONGEST_VALUE = 120
"""Characters of one fact in a sentence."""

_WORDS: dict[str, tuple[str, str]] = {
    EventType.HOME_CREATED: ("The home was made.", "홈을 만들었습니다."),
    EventType.PROMPT_SUBMITTED: (
        "A prompt of {characters} characters was handed in for the task {task}.",
        "{task} 작업에 {characters}자 프롬프트가 접수되었습니다.",
    ),
    EventType.POLICY_DECIDED: ("The policy decided: {decision}{reasons}.", "정책 판정: {decision}{reasons}."),
    EventType.POLICY_CHANGED: ("The policy pack was changed.", "정책 묶음이 바뀌었습니다."),
    EventType.RECORD_ADDED: (
        "A record of {kind} was added, valid until {until}.",
        "{kind} 기록을 추가했습니다. {until}까지 유효합니다.",
    ),
    EventType.RECORD_WITHDRAWN: ("A record of {kind} was withdrawn.", "{kind} 기록을 철회했습니다."),
    EventType.REVIEW_REQUESTED: ("An editor's decision was asked for.", "편집자의 결정을 요청했습니다."),
    EventType.REVIEW_CLAIMED: ("An editor took the request to look at.", "편집자가 요청을 검토하기 시작했습니다."),
    EventType.REVIEW_SIGNED_OFF: ("An editor approved the request.", "편집자가 요청을 승인했습니다."),
    EventType.REVIEW_REJECTED: ("An editor turned the request down.", "편집자가 요청을 반려했습니다."),
    EventType.REVIEW_APPLIED: (
        "The request went on, on the strength of the approval {ticket}.",
        "승인 {ticket}에 따라 요청을 계속했습니다.",
    ),
    EventType.GENERATION_STARTED: (
        "Generation began: {frames} frames at {fps} a second, {size}, seed {seed}.",
        "생성을 시작했습니다: {frames}프레임, 초당 {fps}, {size}, 시드 {seed}.",
    ),
    EventType.GENERATION_FINISHED: ("Generation was finished.", "생성을 마쳤습니다."),
    EventType.GENERATION_FAILED: ("Generation failed.", "생성에 실패했습니다."),
    EventType.GENERATION_ABANDONED: (
        "The job was given up and its files removed: {reason}.",
        "작업을 포기하고 파일을 지웠습니다: {reason}.",
    ),
    EventType.OUTPUT_INTENDED: ("The file {name} was about to be made.", "파일 {name}을(를) 만들기로 했습니다."),
    EventType.LABEL_DRAWN: ("The visible label was drawn.", "보이는 표시를 넣었습니다."),
    EventType.WATERMARK_EMBEDDED: (
        "The invisible mark {id} was put into every frame.",
        "보이지 않는 표식 {id}을(를) 모든 프레임에 넣었습니다.",
    ),
    EventType.MANIFEST_SIGNED: (
        "The manifest was signed; SHA-256 of the file {sha256}.",
        "매니페스트에 서명했습니다. 파일 SHA-256 {sha256}.",
    ),
    EventType.CLIP_PUBLISHED: ("The clip was published.", "클립을 발행했습니다."),
    EventType.CLIP_WITHDRAWN: ("The clip was withdrawn: {reason}", "클립을 철회했습니다: {reason}"),
    EventType.CLIP_CORRECTED: ("The clip was corrected: {reason}", "클립을 정정했습니다: {reason}"),
    EventType.CLIP_DRAFTED: (
        "The clip was made as a draft, not yet approved for publication.",
        "아직 발행 승인을 받지 않은 초안으로 클립을 만들었습니다.",
    ),
    EventType.CLIP_APPROVED: (
        "A second person approved the clip for publication.",
        "다른 사람이 클립의 발행을 승인했습니다.",
    ),
    EventType.PUBLICATION_ABANDONED: (
        "A further file of the clip was not finished: {reason}. The file before it is as it was.",
        "클립의 다음 파일을 완성하지 못했습니다: {reason}. 이전 파일은 그대로입니다.",
    ),
    EventType.CLIP_VERIFIED: ("The clip was checked: {verdict}.", "클립을 확인했습니다: {verdict}."),
    EventType.SOFTBINDING_RESOLVED: (
        "A copy was led back to this record by its mark.",
        "사본을 표식으로 이 기록까지 되짚었습니다.",
    ),
    EventType.MODEL_REGISTERED: ("A model was registered.", "모델을 등록했습니다."),
    EventType.KEY_CREATED: ("A key was made for {purpose}.", "{purpose} 용도의 키를 만들었습니다."),
    EventType.KEY_ROTATED: ("A key was replaced.", "키를 교체했습니다."),
    EventType.KEY_REVOKED: ("A key was revoked.", "키를 폐기했습니다."),
    EventType.TRUST_CHANGED: ("What this home trusts was changed.", "이 홈이 신뢰하는 대상이 바뀌었습니다."),
    EventType.TIME_STAMP_WAITING: ("A time-stamp is to be added later.", "시점 확인을 나중에 덧붙이기로 했습니다."),
    EventType.TIME_STAMP_ADDED: ("A time-stamp was added to the manifest.", "매니페스트에 시점 확인을 덧붙였습니다."),
    EventType.TIME_STAMP_FAILED: ("A time-stamp could not be added.", "시점 확인을 덧붙이지 못했습니다."),
    EventType.ACCESS_GRANTED: ("Access was given.", "접근을 허용했습니다."),
    EventType.ACCESS_DENIED: ("Access was refused.", "접근을 거부했습니다."),
    EventType.AUDIT_QUERIED: ("The log was read ({command}).", "기록을 조회했습니다({command})."),
    EventType.AUDIT_EXPORTED: ("A part of the log was taken out ({command}).", "기록을 내보냈습니다({command})."),
    EventType.SUBJECT_ERASED: (
        "The sealed parts of one subject were erased ({payloads}): {reason}",
        "한 당사자의 봉인 정보 {payloads}건을 지웠습니다: {reason}",
    ),
    EventType.LEGAL_HOLD_SET: ("A legal hold was set: {reason}", "법적 보존을 걸었습니다: {reason}"),
    EventType.LEGAL_HOLD_RELEASED: ("A legal hold was lifted: {reason}", "법적 보존을 풀었습니다: {reason}"),
    EventType.RETENTION_PRUNED: ("Old events were pruned.", "오래된 기록을 정리했습니다."),
    EventType.CHECKPOINT_ANCHORED: (
        "A signed tree head was kept elsewhere.",
        "서명한 트리 머리를 다른 곳에 보관했습니다.",
    ),
    EventType.WITNESS_CHANGED: (
        "Who witnesses this log was changed: {how} {witness}.",
        "이 기록의 증인이 바뀌었습니다: {how} {witness}.",
    ),
    EventType.WITNESS_FAILED: (
        "The witness {witness} did not confirm the log: {reason}.",
        "증인 {witness}이(가) 기록을 확인하지 않았습니다: {reason}.",
    ),
    EventType.WITNESS_REFUSED: (
        "ALARM: the witness {witness} says that this is not the log it has signed: {reason}.",
        "경보: 증인 {witness}이(가) 이 기록은 자신이 서명한 기록이 아니라고 합니다: {reason}.",
    ),
    EventType.SCHEMA_MIGRATED: ("The database's schema was brought up to date.", "데이터베이스 구조를 갱신했습니다."),
    EventType.CLOCK_REGRESSED: ("The clock was set back.", "시계가 뒤로 맞춰졌습니다."),
}
_SEALED = {
    SealedState.ERASED: ("its sealed part was erased", "봉인 정보는 지워졌습니다"),
    SealedState.UNREADABLE: ("its sealed part cannot be opened", "봉인 정보를 열 수 없습니다"),
}
_DECISIONS = {"allow": "허용", "review": "검토", "block": "차단", "approve": "승인", "reject": "반려"}


def event_sentence(event: Event, language: Language) -> str:
    """Say what happened in one sentence; facts that the event lacks are shown as a question mark."""
    column = 1 if language == "ko" else 0
    words = _WORDS.get(event.type)
    if words is None:
        return event.type
    values = _Facts({name: _shown(value) for name, value in event.facts.items()})
    decision = event.decision or "?"
    values["decision"] = _DECISIONS.get(decision, decision) if column else decision
    codes = reason_codes(event.facts)
    values["reasons"] = f" ({', '.join(codes[:8])})" if codes else ""
    sentence = words[column].format_map(values)
    sealed = _SEALED.get(event.sealed_state)
    return sentence if sealed is None else f"{sentence} ({sealed[column]})"


def reason_codes(facts: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Give the rules that a decision names, each once, in the order of the decision."""
    decision = facts.get("decision")
    findings = decision.get("findings") if isinstance(decision, Mapping) else None
    if not isinstance(findings, Sequence) or isinstance(findings, str):
        return ()
    codes = (each.get("rule_id") for each in findings if isinstance(each, Mapping))
    return tuple(dict.fromkeys(code for code in codes if isinstance(code, str)))


class _Facts(dict[str, str]):
    """Facts for a sentence; one that is missing reads as a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"


def _shown(value: JsonValue) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
