"""The words of the HTML report that are not in an explanation, in English and Korean.

One rule: an action or source that is not known here is shown as the manifest spells it, never left out.
"""

from collections.abc import Mapping

from platemark_provenance.axes import Language

_ENGLISH = {
    "title": "Provenance report",
    "made": "Made {when} by platemark, on one machine, with nothing fetched from the network.",
    "limits": "This report says where a file comes from as far as its manifest, its watermark and the records used "
    "here tell. It does not say whether what is shown is true. That nothing was found proves nothing.",
    "withdrawn": "The publisher has withdrawn this clip.",
    "corrected": "The publisher has corrected this clip.",
    "corrected_on": "Corrected on {day}",
    "sheet": "Pictures from the file, first to last",
    "summary": "Who, with what, when",
    "signer": "Signed by",
    "generator": "Written with",
    "stamped": "Signed by this time (trusted time-stamp)",
    "claimed": "Time, in the signer's own word",
    "recovered_from": "Our record of clip",
    "withdrawn_on": "Withdrawn on",
    "withdrawn_why": "Reason given",
    "source": "Where this comes from",
    "from_record": "our record, which the watermark led to; the file itself says none of it",
    "axes": "What was checked, one question at a time",
    "material": "What it was made from",
    "timeline": "What was done, as declared",
    "own_word": "Times and steps are the word of whoever signed them.",
    "no_time": "no time given",
    "left_out": "{count} more were left out.",
    "by": "signed by {name}",
    "with": "with {name}",
    "unnamed": "(no name given)",
    "technical": "Technical details",
    "verdict_word": "Verdict",
    "codes": "Status codes",
    "failed_manifest": "First failing manifest",
    "label": "Manifest",
    "list": "Trust list",
    "state_present": "has a manifest in which nothing failed",
    "state_untrusted": "its manifest holds, its signer is not trusted here",
    "state_failed": "its manifest does not hold",
    "state_unsigned": "has no manifest",
    "state_missing": "its manifest is missing",
    "relationship_parentOf": "the file before this edit",
    "relationship_inputTo": "given to the model",
    "relationship_componentOf": "placed in it",
}
_KOREAN = {
    "title": "출처 확인 보고서",
    "made": "{when}에 platemark가 한 대의 컴퓨터에서 작성했으며 네트워크에서 아무것도 가져오지 않았습니다.",
    "limits": "이 보고서는 매니페스트와 워터마크, 여기서 쓰는 기록이 알려 주는 만큼만 파일의 출처를 말합니다. "
    "보이는 내용이 사실인지는 말하지 않습니다. 찾지 못했다는 것은 아무것도 증명하지 않습니다.",
    "withdrawn": "발행자가 이 클립을 철회했습니다.",
    "corrected": "발행자가 이 클립을 정정했습니다.",
    "corrected_on": "{day} 정정",
    "sheet": "파일의 장면, 처음부터 끝까지",
    "summary": "누가, 무엇으로, 언제",
    "signer": "서명자",
    "generator": "작성 프로그램",
    "stamped": "이때까지 서명됨(신뢰할 수 있는 타임스탬프)",
    "claimed": "서명자가 밝힌 시각",
    "recovered_from": "저희 기록의 클립",
    "withdrawn_on": "철회한 날",
    "withdrawn_why": "밝힌 이유",
    "source": "이 정보의 출처",
    "from_record": "워터마크가 가리킨 저희 기록. 파일 자체에는 이 정보가 없습니다",
    "axes": "무엇을 확인했는지, 항목별로",
    "material": "무엇으로 만들었는지",
    "timeline": "무엇을 했는지(서명자가 밝힌 대로)",
    "own_word": "시각과 작업은 서명한 쪽의 말입니다.",
    "no_time": "시각 없음",
    "left_out": "{count}건은 줄였습니다.",
    "by": "서명자 {name}",
    "with": "{name} 사용",
    "unnamed": "(이름 없음)",
    "technical": "기술 정보",
    "verdict_word": "판정",
    "codes": "상태 코드",
    "failed_manifest": "처음 실패한 매니페스트",
    "label": "매니페스트",
    "list": "신뢰 목록",
    "state_present": "매니페스트가 있고 실패한 항목 없음",
    "state_untrusted": "매니페스트는 유효하나 서명자를 여기서 신뢰하지 않음",
    "state_failed": "매니페스트가 유효하지 않음",
    "state_unsigned": "매니페스트 없음",
    "state_missing": "매니페스트가 빠져 있음",
    "relationship_parentOf": "편집하기 전 파일",
    "relationship_inputTo": "모델에 넣은 자료",
    "relationship_componentOf": "안에 넣은 자료",
}
REPORT_WORDS: Mapping[Language, Mapping[str, str]] = {"en": _ENGLISH, "ko": _KOREAN}
"""Every phrase of the report, by its key; names in braces are filled in."""

ACTIONS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "c2pa.created": "created",
        "c2pa.addedText": "text added",
        "c2pa.adjustedColor": "colours changed",
        "c2pa.drawing": "drawn on",
        "c2pa.filtered": "filter applied",
        "c2pa.orientation": "turned or mirrored",
        "c2pa.opened": "opened",
        "c2pa.placed": "material placed in it",
        "c2pa.edited": "edited",
        "c2pa.transcoded": "encoded again",
        "c2pa.repackaged": "put in another container",
        "c2pa.published": "published",
        "c2pa.removed": "material removed",
        "c2pa.redacted": "part of the record removed",
        "c2pa.watermarked": "watermarked",
        "c2pa.watermarked.bound": "watermarked",
        "c2pa.watermarked.unbound": "watermarked",
        "c2pa.converted": "converted",
        "c2pa.cropped": "cropped",
        "c2pa.resized": "resized",
        "c2pa.color_adjustments": "colours changed",
        "c2pa.edited.metadata": "metadata changed",
        "c2pa.trimmed": "shortened",
        "c2pa.unknown": "something the signer could not name",
    },
    "ko": {
        "c2pa.created": "생성",
        "c2pa.addedText": "글자 넣기",
        "c2pa.adjustedColor": "색 조정",
        "c2pa.drawing": "그리기",
        "c2pa.filtered": "필터 적용",
        "c2pa.orientation": "방향 변경",
        "c2pa.opened": "열기",
        "c2pa.placed": "자료 넣기",
        "c2pa.edited": "편집",
        "c2pa.transcoded": "다시 인코딩",
        "c2pa.repackaged": "컨테이너 변경",
        "c2pa.published": "발행",
        "c2pa.removed": "자료 빼기",
        "c2pa.redacted": "기록 일부 삭제",
        "c2pa.watermarked": "워터마크 넣기",
        "c2pa.watermarked.bound": "워터마크 넣기",
        "c2pa.watermarked.unbound": "워터마크 넣기",
        "c2pa.converted": "형식 변환",
        "c2pa.cropped": "잘라 내기",
        "c2pa.resized": "크기 변경",
        "c2pa.color_adjustments": "색 조정",
        "c2pa.edited.metadata": "메타데이터 변경",
        "c2pa.trimmed": "길이 줄이기",
        "c2pa.unknown": "서명자가 이름 붙이지 못한 작업",
    },
}
"""Source: C2PA 2.2, section 18.15.2, table of actions."""

SOURCES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "trainedAlgorithmicMedia": "made by a trained model",
        "compositeWithTrainedAlgorithmicMedia": "partly made by a trained model",
        "algorithmicMedia": "made by an algorithm",
        "digitalCapture": "taken with a camera",
        "computationalCapture": "taken with a camera that computes",
        "composite": "put together from several",
        "screenCapture": "taken from a screen",
    },
    "ko": {
        "trainedAlgorithmicMedia": "학습된 모델로 만듦",
        "compositeWithTrainedAlgorithmicMedia": "일부를 학습된 모델로 만듦",
        "algorithmicMedia": "알고리즘으로 만듦",
        "digitalCapture": "카메라로 촬영",
        "computationalCapture": "연산 카메라로 촬영",
        "composite": "여러 자료를 합침",
        "screenCapture": "화면에서 가져옴",
    },
}
"""Source: IPTC digital source type NewsCodes."""


def action_words(action: str, language: Language) -> str:
    """Say an action in words, with the manifest's own name for it where it is a rarer one."""
    return ACTIONS[language].get(action, action)


def source_words(source: str, language: Language) -> str:
    """Say a digital source type in words."""
    return SOURCES[language].get(source, source)
