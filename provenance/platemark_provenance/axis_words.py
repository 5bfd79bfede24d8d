"""The names and values of the axes in words that people read, in English and Korean.

One rule: neutral. No value says that something is genuine, good or bad; the JSON words stay what they are.
"""

from collections.abc import Mapping

from platemark_provenance.axes import Axes, Language

AXES = ("manifest", "integrity", "signer", "timestamp", "identity", "ingredients", "ai", "watermark")

_ENGLISH_TITLES = {
    "manifest": "Manifest",
    "integrity": "Content",
    "signer": "Signer",
    "timestamp": "Time-stamp",
    "identity": "Organisation's identity",
    "ingredients": "Material used",
    "ai": "Made by a model",
    "watermark": "Watermark",
}
_KOREAN_TITLES = {
    "manifest": "매니페스트",
    "integrity": "내용",
    "signer": "서명자",
    "timestamp": "타임스탬프",
    "identity": "조직의 신원",
    "ingredients": "제작에 쓰인 자료",
    "ai": "AI 모델 제작",
    "watermark": "워터마크",
}
_ENGLISH_VALUES = {
    "manifest": {
        "absent": "none in the file",
        "malformed": "there, but cannot be read",
        "present": "there and readable",
        "remote_only": "on a server, not fetched",
    },
    "integrity": {"intact": "as it was signed", "tampered": "not what was signed", "unknown": "could not be told"},
    "signer": {
        "trusted": "on the trust list used here",
        "legacy_trusted": "vouched for only by an old list or an old kind of time-stamp",
        "untrusted": "not on the trust list used here",
        "expired": "certificate expired",
        "revoked": "certificate revoked",
        "revocation_unknown": "whether it was revoked could not be told",
        "not_checked": "not checked",
    },
    "timestamp": {"trusted": "by a trusted authority", "untrusted": "by an authority not trusted here", "none": "none"},
    "identity": {
        "trusted": "named, and vouched for",
        "untrusted": "named, and not vouched for here",
        "invalid": "named in a way that is not valid",
        "none": "none given",
    },
    "ingredients": {"ok": "nothing against it", "failed": "some of it does not hold up", "none": "none declared"},
    "ai": {
        "fully": "all of it, as declared",
        "partly": "part of it, as declared",
        "none_declared": "not declared",
        "unknown": "could not be told",
    },
    "watermark": {
        "matched": "leads to our record of this content",
        "mismatch": "belongs to other content",
        "absent": "none of ours found",
        "not_checked": "not checked",
    },
}
_KOREAN_VALUES = {
    "manifest": {
        "absent": "파일에 없음",
        "malformed": "있으나 읽을 수 없음",
        "present": "있고 읽을 수 있음",
        "remote_only": "서버에 있으며 가져오지 않음",
    },
    "integrity": {"intact": "서명된 그대로", "tampered": "서명된 것과 다름", "unknown": "알 수 없음"},
    "signer": {
        "trusted": "여기서 쓰는 신뢰 목록에 있음",
        "legacy_trusted": "옛 목록이나 옛 방식의 타임스탬프만 보증함",
        "untrusted": "여기서 쓰는 신뢰 목록에 없음",
        "expired": "인증서 만료",
        "revoked": "인증서 폐기",
        "revocation_unknown": "폐기 여부를 알 수 없음",
        "not_checked": "확인하지 않음",
    },
    "timestamp": {"trusted": "신뢰할 수 있는 기관", "untrusted": "여기서 신뢰하지 않는 기관", "none": "없음"},
    "identity": {
        "trusted": "이름이 있고 보증됨",
        "untrusted": "이름이 있으나 여기서 보증되지 않음",
        "invalid": "이름이 유효하지 않은 방식으로 들어 있음",
        "none": "없음",
    },
    "ingredients": {"ok": "문제를 찾지 못함", "failed": "일부가 검증을 통과하지 못함", "none": "밝힌 것 없음"},
    "ai": {
        "fully": "전체 (서명자가 밝힘)",
        "partly": "일부 (서명자가 밝힘)",
        "none_declared": "밝히지 않음",
        "unknown": "알 수 없음",
    },
    "watermark": {
        "matched": "이 내용에 대한 저희 기록을 가리킴",
        "mismatch": "다른 콘텐츠의 것",
        "absent": "저희 것을 찾지 못함",
        "not_checked": "확인하지 않음",
    },
}
TITLES: Mapping[Language, Mapping[str, str]] = {"en": _ENGLISH_TITLES, "ko": _KOREAN_TITLES}
"""What each axis is called."""
VALUES: Mapping[Language, Mapping[str, Mapping[str, str]]] = {"en": _ENGLISH_VALUES, "ko": _KOREAN_VALUES}
"""What each value of an axis means."""


def axis_lines(axes: Axes, language: Language) -> tuple[tuple[str, str], ...]:
    """Give each axis as its name and its value in words, in the order of the contract."""
    return tuple((TITLES[language][name], VALUES[language][name][getattr(axes, name)]) for name in AXES)
