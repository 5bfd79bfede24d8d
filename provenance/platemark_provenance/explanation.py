"""Say in plain English and Korean what was found, what was checked and what was not.

One rule: no sentence claims more than its check; that nothing was found is always said to prove nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from platemark_provenance.axes import Axes, IngredientFault, Language, Verdict
from platemark_provenance.publication import Publication


@dataclass(frozen=True, slots=True)
class Explanation:
    """The same explanation in both languages, several lines each."""

    en: str
    ko: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What an explanation is made from. Names are shown as they are, so they must already be plain text.

    `clip_id` is the clip a watermark led to; `declares_watermark` that the manifest says there is one;
    `signed_at` is as shown in the report; `withdrawn` is the publisher's reason and `withdrawn_at` the day;
    `on_legacy_list` that only a list that is no longer kept up vouches for the signer; `mark_by_record` that the
    watermark follows from the record of exactly this file, so that nobody looked for it; `unsigned_bytes` how many
    bytes lie in padding outside the signature; `fetched_from` the server that the manifest was fetched from, and
    `fetch_failed` that it was asked for and not got; `publication` whether it is a draft or approved for publication;
    `corrections` how many there are, `corrected` the newest one's words and `corrected_at` its day; `for_tests_only`
    whether the rules it passed were for tests.
    """

    verdict: Verdict
    axes: Axes
    signer: str | None = None
    signed_at: str | None = None
    clip_id: str | None = None
    withdrawn: str | None = None
    withdrawn_at: str = ""
    on_legacy_list: bool = False
    ingredient_fault: IngredientFault | None = None
    media_recognised: bool = True
    declares_watermark: bool = False
    mark_by_record: bool = False
    unsigned_bytes: int = 0
    fetched_from: str | None = None
    fetch_failed: bool = False
    publication: Publication | None = None
    for_tests_only: bool = False
    corrections: int = 0
    corrected: str | None = None
    corrected_at: str = ""


def explain(findings: Findings) -> Explanation:
    """Write the explanation: a headline, what stands out, what was checked, what was not."""
    return Explanation(en=_write(findings, "en"), ko=_write(findings, "ko"))


def _write(findings: Findings, language: Language) -> str:
    words = _WORDS[language]
    unknown = words["unnamed"]
    values = {
        "signer": findings.signer or unknown,
        "when": findings.signed_at or "",
        "clip": findings.clip_id or unknown,
        "withdrawn": findings.withdrawn or unknown,
        "day": findings.withdrawn_at,
        "padding": f"{findings.unsigned_bytes:,}",
        "server": findings.fetched_from or unknown,
        "times": findings.corrections,
        "corrected": findings.corrected or unknown,
        "corrected_on": findings.corrected_at,
    }
    lines = [words[key].format_map(values) for key in (_headline(findings), *_notes(findings))]
    for title, keys in (("checked", _checked(findings)), ("not_checked", _not_checked(findings))):
        parts = [words[key] for key in keys]
        if parts:
            lines.append(words[title].format(list=", ".join(parts)))
    return "\n".join(lines)


def _headline(findings: Findings) -> str:
    match findings.verdict:
        case Verdict.INTACT if findings.axes.signer == "legacy_trusted" and findings.on_legacy_list:
            return "intact_legacy_list"
        case Verdict.INTACT:
            return f"intact_{findings.axes.signer}"
        case Verdict.TAMPERED:
            return "tampered" if findings.axes.integrity == "tampered" else "tampered_ingredient"
        case Verdict.UNREADABLE:
            return "unreadable" if findings.media_recognised else "unrecognised"
        case Verdict.NONE:
            return "none_remote" if findings.axes.manifest == "remote_only" else "none"
        case _:
            return str(findings.verdict)


def _publisher_notes(findings: Findings) -> Iterator[str]:
    if findings.withdrawn is not None:
        yield "note_withdrawn"
    if findings.for_tests_only:
        yield "note_for_tests_only"
    if findings.corrections:
        yield "note_corrected" if findings.corrections == 1 else "note_corrected_again"
    if findings.publication is not None:
        yield f"note_{findings.publication}"


def _notes(findings: Findings) -> Iterator[str]:
    axes = findings.axes
    yield from _publisher_notes(findings)
    if findings.fetched_from is not None:
        yield "note_fetched"
    if axes.manifest == "present" and axes.integrity == "intact" and findings.signed_at:
        yield "note_time_stamped" if axes.timestamp == "trusted" else "note_time_claimed"
    if findings.unsigned_bytes:
        yield "note_unsigned"
    if axes.ingredients == "failed" and findings.ingredient_fault is not None:
        yield f"note_ingredient_{findings.ingredient_fault}"
    if axes.identity != "none":
        yield f"note_identity_{axes.identity}"
    if axes.ai != "unknown" and axes.manifest == "present":
        yield f"note_ai_{axes.ai}"
    if axes.watermark == "matched" and findings.verdict is not Verdict.RECOVERED:
        yield "note_mark_by_record" if findings.mark_by_record else "note_mark_matched"
    if axes.watermark == "absent" and findings.declares_watermark:
        yield "note_mark_gone"


def _checked(findings: Findings) -> Iterator[str]:
    axes = findings.axes
    if axes.manifest != "present":
        yield "look_manifest"
    else:
        yield "look_signature"
    if axes.integrity != "unknown":
        yield "look_content"
    if axes.signer != "not_checked":
        yield "look_signer"
    if axes.timestamp != "none":
        yield "look_time"
    if axes.identity != "none":
        yield "look_identity"
    if axes.ingredients != "none":
        yield "look_ingredients"
    if axes.watermark != "not_checked":
        yield "look_record" if findings.mark_by_record else "look_mark"


def _not_checked(findings: Findings) -> Iterator[str]:
    axes = findings.axes
    if axes.manifest == "remote_only":
        yield "skip_remote_failed" if findings.fetch_failed else "skip_remote"
    if axes.manifest == "present":
        yield "skip_revocation"
    if axes.watermark == "not_checked":
        yield "skip_mark"
    yield "skip_truth"


ENGLISH = {
    "unnamed": "(no name given)",
    "trusted": "Trusted: this file is as {signer} signed it, and a root on the trust list used here vouches for "
    "that signer.",
    "intact_untrusted": "Intact: nothing was changed since signing, but nobody on the trust list used here vouches "
    "for the signer, who goes by the name {signer}.",
    "intact_expired": "Intact: nothing was changed since signing, but the certificate of {signer} has expired and "
    "no trusted time-stamp shows that it was used in time.",
    "intact_legacy_trusted": "Intact: nothing was changed since signing by {signer}, but the certificate has expired, "
    "and only an old kind of time-stamp, whose authority cannot be checked, says that it was used in time.",
    "intact_legacy_list": "Intact: nothing was changed since signing by {signer}, but only a trust list that is no "
    "longer kept up vouches for that signer.",
    "intact_revoked": "Intact: nothing was changed since signing, but the certificate of {signer} was revoked.",
    "intact_revocation_unknown": "Intact: nothing was changed since signing, but whether the certificate of {signer} "
    "was revoked could not be told.",
    "intact_trusted": "Intact: this file is as {signer} signed it, but material it was made from does not hold up.",
    "intact_not_checked": "Intact: nothing was changed since signing, but the signer could not be checked.",
    "tampered": "Tampered: the file and its manifest do not fit each other. Something was changed after signing, or "
    "the manifest was never valid for this file.",
    "tampered_ingredient": "Tampered: the manifest of material this file was made from does not hold.",
    "recovered": "Recovered: the file itself carries no manifest. Its watermark leads to our record of clip {clip}, "
    "and the content matches that record.",
    "mismatch": "Mismatch: a watermark or manifest in this file belongs to other content.",
    "none": "No provenance was found. That proves nothing: most genuine files carry none, and anyone can remove it.",
    "none_remote": "The file only names a server where its manifest is said to lie, and it was not fetched. No "
    "provenance was found here; that absence proves nothing.",
    "unreadable": "Unreadable: the file carries something like a manifest that is damaged or cannot be understood, so "
    "nothing it says can be relied on.",
    "unrecognised": "Unreadable: this is not a media file that can be read here, so nothing can be said about it.",
    "note_withdrawn": "The publisher withdrew this clip on {day}. Reason given: {withdrawn}",
    "note_for_tests_only": "Its manifest says that it passed rules for tests only: it was never meant to be published.",
    "note_corrected": "The publisher corrected this clip on {corrected_on}: {corrected}",
    "note_corrected_again": "The publisher corrected this clip {times} times, last on {corrected_on}: {corrected}",
    "note_fetched": "Its manifest does not lie in the file; it was fetched from {server}, which the file names.",
    "note_draft": "This is a draft, not approved for publication.",
    "note_published": "The publisher's manifest says that a second person approved it for publication.",
    "note_time_stamped": "A trusted authority confirms that it was signed by {when}.",
    "note_time_claimed": "It says it was made on {when}; that is the signer's own word.",
    "note_unsigned": "The file has {padding} bytes of padding that no signature covers and that are not empty; players "
    "do not show them.",
    "note_ingredient_tampered": "At least one ingredient's manifest is broken or missing.",
    "note_ingredient_recorded": "The signer itself recorded that an ingredient did not verify when it was used.",
    "note_ingredient_untrusted": "The signer of at least one ingredient is not trusted here.",
    "note_identity_trusted": "A trusted organisation has put its name to it.",
    "note_identity_untrusted": "An organisation has put its name to it, but nobody trusted here vouches for that name.",
    "note_identity_invalid": "It carries a name in a way that is not valid; do not rely on that name.",
    "note_ai_fully": "The signer declares that a model made all of it.",
    "note_ai_partly": "The signer declares that a model made part of it.",
    "note_ai_none_declared": "The signer declares no use of a model; that is the signer's own word.",
    "note_mark_matched": "Its watermark leads to our record of clip {clip}.",
    "note_mark_by_record": "It is, byte for byte, the file that we published as clip {clip}, with its watermark; the "
    "pixels were not searched for it again.",
    "note_mark_gone": "The manifest says that the picture is watermarked, but no watermark was found.",
    "checked": "Checked: {list}.",
    "not_checked": "Not checked: {list}.",
    "look_manifest": "whether the file carries a manifest",
    "look_signature": "the manifest and its signature",
    "look_content": "whether the content is what was signed",
    "look_signer": "the signer against the trust list",
    "look_time": "the time-stamp",
    "look_identity": "the organisation's identity",
    "look_ingredients": "the ingredients",
    "look_mark": "the watermark",
    "look_record": "the file against our record of it",
    "skip_remote": "the manifest on the server (nothing is fetched from the network)",
    "skip_remote_failed": "the manifest on the server (it was asked for and could not be fetched)",
    "skip_revocation": "whether a certificate was revoked since (nobody is asked)",
    "skip_mark": "the watermark",
    "skip_truth": "whether what is shown is true",
}
"""Every sentence, by its key; names in braces are filled in."""

KOREAN = {
    "unnamed": "(이름 없음)",
    "trusted": "신뢰됨: 이 파일은 {signer}이(가) 서명한 그대로이며, 여기서 쓰는 신뢰 목록이 그 서명자를 보증합니다.",
    "intact_untrusted": (
        "온전함: 서명 이후 바뀐 것은 없지만, 여기서 쓰는 신뢰 목록에는 {signer}(이)라는 이름의 서명자를 "
        "보증하는 곳이 없습니다."
    ),
    "intact_expired": (
        "온전함: 서명 이후 바뀐 것은 없지만, {signer}의 인증서가 만료되었고 유효할 때 서명했음을 보여 주는 "
        "신뢰할 수 있는 타임스탬프가 없습니다."
    ),
    "intact_legacy_trusted": (
        "온전함: {signer}이(가) 서명한 뒤 바뀐 것은 없지만, 인증서가 만료되었고 유효할 때 서명했다는 근거는 "
        "발급 기관을 확인할 수 없는 옛 방식의 타임스탬프뿐입니다."
    ),
    "intact_legacy_list": (
        "온전함: {signer}이(가) 서명한 뒤 바뀐 것은 없지만, 그 서명자를 보증하는 것은 더 이상 갱신되지 않는 "
        "신뢰 목록뿐입니다."
    ),
    "intact_revoked": "온전함: 서명 이후 바뀐 것은 없지만, {signer}의 인증서가 폐기되었습니다.",
    "intact_revocation_unknown": (
        "온전함: 서명 이후 바뀐 것은 없지만, {signer}의 인증서가 폐기되었는지 알 수 없습니다."
    ),
    "intact_trusted": (
        "온전함: 이 파일은 {signer}이(가) 서명한 그대로이지만, 제작에 쓰인 자료가 검증을 통과하지 못했습니다."
    ),
    "intact_not_checked": "온전함: 서명 이후 바뀐 것은 없지만, 서명자를 확인할 수 없었습니다.",
    "tampered": (
        "변조됨: 파일과 매니페스트가 서로 맞지 않습니다. 서명 이후 무언가 바뀌었거나, 매니페스트가 처음부터 "
        "이 파일에 유효하지 않았습니다."
    ),
    "tampered_ingredient": "변조됨: 제작에 쓰인 자료의 매니페스트가 유효하지 않습니다.",
    "recovered": (
        "복구됨: 파일 자체에는 매니페스트가 없습니다. 워터마크가 저희 기록의 클립 {clip}을(를) 가리키며, "
        "내용도 그 기록과 일치합니다."
    ),
    "mismatch": "불일치: 이 파일의 워터마크나 매니페스트는 다른 콘텐츠의 것입니다.",
    "none": (
        "출처 정보를 찾지 못했습니다. 이것은 아무것도 증명하지 않습니다. 진짜 파일에도 대부분 출처 정보가 "
        "없고, 누구나 지울 수 있습니다."
    ),
    "none_remote": (
        "파일에는 매니페스트가 있다는 서버 주소만 있으며, 가져오지 않았습니다. 여기서는 출처 정보를 찾지 "
        "못했고, 없다는 사실은 아무것도 증명하지 않습니다."
    ),
    "unreadable": (
        "읽을 수 없음: 파일에 매니페스트로 보이는 것이 있으나 손상되었거나 해석할 수 없어, 그 내용을 믿을 수 없습니다."
    ),
    "unrecognised": "읽을 수 없음: 여기서 읽을 수 있는 미디어 파일이 아니므로 아무것도 말할 수 없습니다.",
    "note_withdrawn": "발행자가 {day}에 이 클립을 철회했습니다. 밝힌 이유: {withdrawn}",
    "note_for_tests_only": "매니페스트에 따르면 시험용 규칙만 통과한 영상으로, 발행하려고 만든 것이 아닙니다.",
    "note_corrected": "발행자가 {corrected_on}에 이 클립을 정정했습니다: {corrected}",
    "note_corrected_again": "발행자가 이 클립을 {times}번 정정했으며 마지막은 {corrected_on}입니다: {corrected}",
    "note_fetched": "매니페스트는 파일 안에 없어, 파일에 적힌 서버 {server}에서 가져왔습니다.",
    "note_draft": "초안이며 발행 승인을 받지 않았습니다.",
    "note_published": "발행자의 매니페스트에 따르면 다른 사람이 이 클립의 발행을 승인했습니다.",
    "note_time_stamped": "신뢰할 수 있는 기관이 {when}까지 서명되었음을 확인합니다.",
    "note_time_claimed": "제작 시점은 {when}(으)로 적혀 있으나, 서명자의 주장일 뿐입니다.",
    "note_unsigned": (
        "서명이 보호하지 않는 채움 영역에 비어 있지 않은 {padding}바이트가 있습니다. 재생기는 이를 보여 주지 않습니다."
    ),
    "note_ingredient_tampered": "제작에 쓰인 자료 중 하나 이상의 매니페스트가 깨졌거나 없습니다.",
    "note_ingredient_recorded": "서명자 스스로, 자료를 쓸 때 그 자료가 검증을 통과하지 못했다고 기록했습니다.",
    "note_ingredient_untrusted": "제작에 쓰인 자료 중 하나 이상의 서명자를 여기서는 신뢰하지 않습니다.",
    "note_identity_trusted": "신뢰할 수 있는 조직이 자기 이름을 걸었습니다.",
    "note_identity_untrusted": "한 조직이 자기 이름을 걸었으나, 그 이름을 보증하는 곳이 여기에는 없습니다.",
    "note_identity_invalid": "이름이 유효하지 않은 방식으로 들어 있으니 그 이름을 믿지 마십시오.",
    "note_ai_fully": "서명자는 전체를 AI 모델로 만들었다고 밝힙니다.",
    "note_ai_partly": "서명자는 일부를 AI 모델로 만들었다고 밝힙니다.",
    "note_ai_none_declared": "서명자는 AI 모델 사용을 밝히지 않았으며, 이는 서명자의 말일 뿐입니다.",
    "note_mark_matched": "워터마크가 저희 기록의 클립 {clip}을(를) 가리킵니다.",
    "note_mark_by_record": (
        "저희가 클립 {clip}(으)로 워터마크를 넣어 발행한 파일과 바이트까지 같으므로, 화면에서 워터마크를 다시 찾지는 "
        "않았습니다."
    ),
    "note_mark_gone": "매니페스트에는 화면에 워터마크가 있다고 적혀 있으나 찾지 못했습니다.",
    "checked": "확인한 것: {list}.",
    "not_checked": "확인하지 않은 것: {list}.",
    "look_manifest": "파일에 매니페스트가 있는지",
    "look_signature": "매니페스트와 그 서명",
    "look_content": "내용이 서명된 그대로인지",
    "look_signer": "서명자가 신뢰 목록에 드는지",
    "look_time": "타임스탬프",
    "look_identity": "조직의 신원",
    "look_ingredients": "제작에 쓰인 자료",
    "look_mark": "워터마크",
    "look_record": "파일이 저희 기록과 같은지",
    "skip_remote": "서버에 있다는 매니페스트(네트워크에서 아무것도 가져오지 않음)",
    "skip_remote_failed": "서버에 있다는 매니페스트(가져오려 했으나 가져오지 못함)",
    "skip_revocation": "이후 인증서가 폐기되었는지(아무에게도 묻지 않음)",
    "skip_mark": "워터마크",
    "skip_truth": "보이는 내용이 사실인지",
}
"""The same sentences in Korean."""

_WORDS: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "ko": KOREAN}
