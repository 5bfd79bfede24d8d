"""What newsroom systems are told: right, complete, without names unless asked, and with a withdrawal in it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import NewsMLG2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mosromgr.mostypes import RunningOrder
from odd_clips import write_clip

from platemark.clip import Clip
from platemark.desk.withdrawal import withdraw
from platemark.errors import LedgerUnavailable, PublicationRefused, RequestError
from platemark.newsroom.facts import ExportFacts, Names, Rendition
from platemark.newsroom.formats import FORMATS, export_clip
from platemark.newsroom.json_ld import write_json_ld
from platemark.newsroom.mos import write_mos
from platemark.newsroom.newsml_g2 import write_newsml_g2
from platemark.newsroom.ninjs import write_ninjs
from platemark.newsroom.vmh import write_vmh
from platemark.studio import AsyncStudio, Studio
from platemark_provenance.digest import sha256_bytes
from platemark_provenance.ledger.event_words import event_sentence
from platemark_provenance.withdrawal import Withdrawal

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
G2 = "{http://iptc.org/std/nar/2006-10-01/}"
AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NAMES = Names("김지우", ("Park Seo-yeon",), "calm <sea> & sky", "jw.kim")
FACTS = ExportFacts(
    clip_id="01a204a2-bc7b-7602-be0e-ffae1e706bd1",
    kind="clip",
    title="platemark clip 1",
    publisher="Daily Example",
    made_at=AT,
    published_at=AT,
    changed_at=AT,
    source_type="trainedAlgorithmicMedia",
    ai_system="testcard",
    ai_system_version="0.1.0",
    label="AI 생성 영상",
    language="ko",
    watermark_alg="org.platemark.watermark.1",
    watermark_id="5214bca30737727a",
    manifest_label="urn:c2pa:3190665a-61a9-445e-b852-4fb60bedc125",
    rendition=Rendition("clip.mp4", "video/mp4", "ab" * 32, 22_891, 256, 144, 0.5, 12.0, 6, "h264"),
    withdrawn=None,
    names=NAMES,
)
GONE = replace(FACTS, withdrawn=Withdrawal(AT, "Wrong date"), changed_at=AT)
STILL = replace(
    FACTS, kind="still", rendition=Rendition("a.png", "image/png", "cd" * 32, 900, 64, 64, None, None, None, None)
)
each_format = pytest.mark.parametrize("form", FORMATS)


def _json(document: bytes) -> Any:
    return json.loads(document)


def _properties(item: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {each["propertyID"]: each["value"] for each in item[field]}


@each_format
@pytest.mark.parametrize(
    "said",
    ["trainedAlgorithmicMedia", "testcard", "0.1.0", "ab" * 32, "5214bca30737727a", FACTS.manifest_label],
)
def test_every_format_tells_source_system_hash_mark_and_manifest(form: str, said: str) -> None:
    document = FORMATS[form](FACTS).decode()

    assert said.lower() in document.lower()


@each_format
def test_every_format_tells_the_label_and_the_clip(form: str) -> None:
    document = FORMATS[form](FACTS).decode()

    assert "AI 생성 영상" in document
    assert FACTS.clip_id in document


@each_format
@pytest.mark.parametrize("name", ["김지우", "Park Seo-yeon", "jw.kim", "calm"])
def test_every_format_names_people_only_where_names_were_asked_for(form: str, name: str) -> None:
    with_names, without = (FORMATS[form](each).decode() for each in (FACTS, replace(FACTS, names=None)))

    assert name in with_names
    assert name not in without


@each_format
@pytest.mark.parametrize("said", ["WITHDRAWN", "Wrong date"])
def test_every_format_tells_that_and_why_a_clip_was_withdrawn(form: str, said: str) -> None:
    assert said in FORMATS[form](GONE).decode()
    assert said not in FORMATS[form](FACTS).decode()


@each_format
def test_every_format_can_tell_of_a_still(form: str) -> None:
    document = FORMATS[form](STILL).decode()

    assert "image/png" in document
    assert "None" not in document


def test_ninjs_uses_the_source_type_and_status_of_the_standard() -> None:
    item, gone = _json(write_ninjs(FACTS)), _json(write_ninjs(GONE))

    assert item["digitalSourceType"] == {"name": "trainedAlgorithmicMedia", "uri": TRAINED}
    assert (item["pubStatus"], gone["pubStatus"]) == ("usable", "canceled")
    assert (item["version"], gone["version"]) == ("1", "2")


def test_ninjs_describes_the_file_with_the_properties_the_schema_allows() -> None:
    (rendition,) = _json(write_ninjs(FACTS))["renditions"]

    assert rendition == {
        "name": "main", "contentType": "video/mp4", "width": 256, "height": 144, "sizeInBytes": 22_891,
        "duration": 0.5, "frameRate": 12.0, "videoCodec": "h264",
    }  # fmt: skip


def test_vmh_keeps_the_ai_fields_beside_the_hubs_closed_set() -> None:
    (entry,) = _json(write_vmh(FACTS))

    assert entry["photoVideoMetadataIPTC"]["digitalSourceType"]["cvTermId"] == TRAINED
    assert entry["photoVideoMetadata_IPTC_AI"] == {
        "AISystemUsed": "testcard",
        "AISystemVersionUsed": "0.1.0",
        "AIPromptInformation": "calm <sea> & sky",
        "AIPromptWriterName": "jw.kim",
    }


def test_vmh_says_that_a_withdrawn_clip_is_not_ready_for_release() -> None:
    ready, gone = (_json(write_vmh(each))[0]["photoVideoMetadataIPTC"]["releaseReady"] for each in (FACTS, GONE))

    assert (ready, gone) == (True, False)


def test_json_ld_is_a_video_object_with_schema_orgs_own_source_type() -> None:
    item = _json(write_json_ld(FACTS))

    assert (item["@context"], item["@type"], item["duration"]) == ("https://schema.org", "VideoObject", "PT0.5S")
    assert item["digitalSourceType"] == "https://schema.org/TrainedAlgorithmicMediaDigitalSource"
    assert _properties(item, "identifier")["sha256"] == "ab" * 32
    assert _properties(item, "additionalProperty")["AISystemUsed"] == "testcard"


def test_json_ld_keeps_the_iptc_term_where_schema_org_has_no_word_for_it() -> None:
    item = _json(write_json_ld(replace(FACTS, source_type="digitalCapture")))

    assert item["digitalSourceType"].endswith("/digitalsourcetype/digitalCapture")


def test_iptcs_own_reader_finds_the_source_type_in_newsml_g2() -> None:
    item = NewsMLG2.NewsMLG2Document(write_newsml_g2(FACTS)).get_item()

    assert str(item.guid) == FACTS.uri
    assert item.contentmeta.digitalsourcetype.uri == TRAINED


def test_newsml_g2_puts_its_elements_in_the_schemas_order() -> None:
    root = ElementTree.fromstring(write_newsml_g2(FACTS))

    assert [each.tag.removeprefix(G2) for each in root] == ["catalogRef", "itemMeta", "contentMeta", "contentSet"]
    assert [each.tag.removeprefix(G2) for each in root.find(f"{G2}itemMeta") or ()] == [
        "itemClass", "provider", "versionCreated", "firstCreated", "pubStatus", "fileName", "title", "edNote",
    ]  # fmt: skip


def test_mos_puts_the_objects_elements_in_the_protocols_order() -> None:
    found = ElementTree.fromstring(write_mos(FACTS)).find("mosObj")

    assert [each.tag for each in found or ()] == [
        "objID", "objSlug", "mosAbstract", "objType", "objTB", "objRev", "objDur", "status", "objAir", "objPaths",
        "createdBy", "created", "changedBy", "changed", "description", "mosExternalMetadata",
    ]  # fmt: skip


def test_mos_takes_a_withdrawn_clip_off_the_air() -> None:
    gone = ElementTree.fromstring(write_mos(GONE))

    assert (gone.findtext("mosObj/status"), gone.findtext("mosObj/objAir")) == ("DELETED", "NOT READY")


def test_the_bbcs_reader_finds_our_metadata_in_a_running_order_that_uses_the_object() -> None:
    ours = ElementTree.fromstring(write_mos(FACTS)).find("mosObj")
    assert ours is not None
    external = ElementTree.tostring(ours[-1], encoding="unicode")
    item = f"<item><itemID>1</itemID><objID>{ours.findtext('objID')}</objID>{external}</item>"
    story = f"<story><storyID>S</storyID><storySlug>s</storySlug>{external}{item}</story>"
    text = "<mos><mosID>m</mosID><ncsID>n</ncsID><messageID>1</messageID><roCreate><roID>R</roID><roSlug>r</roSlug>"

    order = RunningOrder.from_string(f"{text}{story}</roCreate></mos>")

    assert order.stories[0].duration == 0.5
    assert [each.object_id for each in order.stories[0].items or ()] == [FACTS.clip_id]


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_no_prompt_breaks_out_of_an_xml_format(text: str) -> None:
    facts = replace(FACTS, names=replace(NAMES, prompt=text))

    assert ElementTree.fromstring(write_mos(facts)).findtext(".//AIPromptInformation") == text
    assert text in [each.text for each in ElementTree.fromstring(write_newsml_g2(facts)).iter(f"{G2}description")]


def test_a_published_clip_is_described_as_it_lies_on_the_disk(studio: Studio, clip: Clip) -> None:
    item = _json(export_clip(studio.home, studio.ledger, str(clip.path), "ninjs", reader="desk"))

    assert item["uri"] == f"urn:uuid:{clip.clip_id}"
    assert {"role": "sha256", "value": clip.sha256} in item["altIds"]
    assert item["renditions"][0]["sizeInBytes"] == clip.path.stat().st_size
    assert {"role": "AISystemUsed", "name": "testcard"} in item["infoSources"]


def test_the_log_keeps_what_was_handed_out_to_whom(studio: Studio, clip: Clip) -> None:
    document = studio.export(clip.clip_id, "vmh", reader="desk", with_names=True)

    (event,) = studio.ledger.query(type="audit.exported")
    assert event.actor_name == "desk"
    assert event.facts == {
        "command": "newsroom",
        "asked": {"clip": clip.clip_id, "form": "vmh", "names": True, "sha256": sha256_bytes(document)},
    }
    assert event_sentence(event, "en") == "A part of the log was taken out (newsroom)."
    assert "내보냈습니다" in event_sentence(event, "ko")


def test_an_export_that_cannot_be_logged_hands_nothing_out(
    studio: Studio, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise LedgerUnavailable("The disk is full.")

    monkeypatch.setattr(studio.ledger, "append", full)

    with pytest.raises(LedgerUnavailable):
        studio.export(clip.clip_id, "ninjs", reader="desk")


def test_a_refused_export_is_not_logged_as_one(gated: Studio, draft: Clip) -> None:
    with pytest.raises(PublicationRefused):
        gated.export(draft.clip_id, "ninjs", reader="desk")

    assert list(gated.ledger.query(type="audit.exported")) == []


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_stamped_clip_is_exported_with_its_own_source_and_system(studio: Studio, tmp_path: Path, form: str) -> None:
    write_clip(tmp_path / "source.mp4")
    stamped = studio.stamp(
        tmp_path / "source.mp4", generator="Elsewhere Video", generator_version="3", out=tmp_path / "stamped.mp4"
    )

    document = studio.export(stamped.path, form, reader="desk").decode()

    assert stamped.clip_id in document
    assert "Elsewhere Video" in document
    assert "trainedalgorithmicmedia" in document.lower()


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_clip_made_out_of_another_one_says_that_only_part_of_it_was_made(
    studio: Studio, clip: Clip, tmp_path: Path, form: str
) -> None:
    write_clip(tmp_path / "camera.mp4", size=(256, 256), frames=6)
    edited = studio.generate(
        "a calm blue sea at sunset", model="testcard", clips=[tmp_path / "camera.mp4"], seconds=0.5,
        out=tmp_path / "edited.mp4",
    )  # fmt: skip

    document = studio.export(edited.clip_id, form, reader="desk").decode()

    assert "compositewithtrainedalgorithmicmedia" in document.lower()


def test_a_published_file_is_exported_as_the_newest_one_of_its_clip(gated: Studio, draft: Clip) -> None:
    published = gated.publish(draft.path, approver="Lee Sora", reason="checked")

    item = _json(gated.export(draft.clip_id, "ninjs", reader="desk", with_names=True))

    assert {"role": "sha256", "value": published.sha256} in item["altIds"]
    assert {"rel": "approver", "name": "Lee Sora"} in item["people"]


def test_a_correction_stands_in_every_version_of_the_item(studio: Studio, clip: Clip) -> None:
    studio.correct(clip.path, reason="The caption named the wrong city", by="Lee Sora")

    item = _json(studio.export(clip.clip_id, "ninjs", reader="desk"))
    page = _json(studio.export(clip.clip_id, "json-ld", reader="desk"))

    assert (item["version"], item["pubStatus"]) == ("2", "usable")
    assert "wrong city" in item["edNote"]
    assert page["correction"][0]["text"] == "The caption named the wrong city"


def test_asyncio_programs_export_too(home_path: Path, clip: Clip) -> None:
    async def export() -> bytes:
        async with await AsyncStudio.open(home_path) as studio:
            return await studio.export(clip.path, "mos", reader="desk")

    assert clip.clip_id.encode() in asyncio.run(export())


def test_a_withdrawn_clip_leaves_only_with_its_withdrawal(studio: Studio, clip: Clip) -> None:
    withdraw(studio.ledger, clip.clip_id, reason="Wrong date")

    item = _json(export_clip(studio.home, studio.ledger, clip.clip_id, "ninjs", reader="desk"))

    assert item["pubStatus"] == "canceled"
    assert "Wrong date" in item["edNote"]


def test_a_clip_whose_file_was_changed_is_not_described(studio: Studio, clip: Clip) -> None:
    clip.path.write_bytes(clip.path.read_bytes() + b"\0")

    with pytest.raises(RequestError, match="as it was published"):
        export_clip(studio.home, studio.ledger, clip.clip_id, "ninjs", reader="desk")


def test_a_clip_of_somebody_else_is_not_described(studio: Studio) -> None:
    with pytest.raises(RequestError, match="published no clip"):
        export_clip(studio.home, studio.ledger, "01a204a2-0000-7000-8000-000000000000", "ninjs", reader="desk")


def test_a_format_nobody_knows_is_refused_with_those_there_are(studio: Studio) -> None:
    with pytest.raises(RequestError, match="json-ld"):
        export_clip(studio.home, studio.ledger, "x", "docx", reader="desk")
