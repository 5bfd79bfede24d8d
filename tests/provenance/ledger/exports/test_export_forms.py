"""What leaves the log: whole, readable by the tools it is for, and without a name or a prompt."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import prov.model
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark_provenance.errors import LedgerRequestError
from platemark_provenance.ledger import merkle
from platemark_provenance.ledger.event import Event, EventType, NewEvent
from platemark_provenance.ledger.exports.ocsf import api_activity
from platemark_provenance.ledger.exports.writing import ExportForm, ExportSource, write_events
from platemark_provenance.ledger.store import Ledger
from platemark_provenance.spreadsheet import read_cell

SOURCE = ExportSource("news.example/provenance", "1.2.3")
SECRETS = (b"jw.kim", b"rain over the city", b"Kim Ji-woo")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)


def written(ledger: Ledger, form: str) -> bytes:
    file = io.BytesIO()
    write_events(ledger.query(order="oldest"), file, form=form, source=SOURCE)
    return file.getvalue()


def objects(ledger: Ledger, form: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in written(ledger, form).splitlines()]


def rows(content: bytes) -> list[dict[str, str]]:
    text = content.decode("utf-8-sig")
    return [{k: read_cell(v) for k, v in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]


def events_of(ledger: Ledger) -> list[Event]:
    return list(ledger.query(order="oldest"))


@pytest.mark.parametrize("form", list(ExportForm))
def test_no_form_holds_a_name_or_a_prompt(archive: Ledger, form: ExportForm) -> None:
    content = written(archive, form)

    assert [secret for secret in SECRETS if secret in content] == []


@pytest.mark.parametrize("form", list(ExportForm))
def test_an_empty_log_gives_a_file_that_can_be_read(ledger: Ledger, form: ExportForm, tmp_path: Path) -> None:
    file = tmp_path / "empty"

    with file.open("wb") as stream:
        count = write_events(iter(()), stream, form=form, source=SOURCE)

    assert count == 0


@pytest.mark.parametrize("form", list(ExportForm))
def test_the_number_of_events_is_given_back(archive: Ledger, form: ExportForm) -> None:
    assert write_events(archive.query(order="oldest"), io.BytesIO(), form=form, source=SOURCE) == 7


@pytest.mark.parametrize("form", ["", "xml", "JSONL", "jsonl "])
def test_a_form_that_there_is_not_is_refused_with_those_there_are(archive: Ledger, form: str) -> None:
    with pytest.raises(LedgerRequestError, match="jsonl, csv, parquet, ocsf, prov"):
        written(archive, form)


def test_the_tree_can_be_built_again_from_the_lines(archive: Ledger) -> None:
    lines = objects(archive, "jsonl")

    leaves = [merkle.leaf_hash(str(line["body"]).encode()) for line in lines]

    assert [leaf.hex() for leaf in leaves] == [line["leaf"] for line in lines]
    root = merkle.tree_root(len(leaves), lambda level, index: merkle.root_of_complete(_run(leaves, level, index)))
    assert root.hex() == archive.head().root


def _run(leaves: list[bytes], level: int, index: int) -> list[bytes]:
    return leaves[index << level : (index + 1) << level]


def test_a_line_says_whether_there_is_a_sealed_part_and_not_what_it_holds(archive: Ledger) -> None:
    submitted = objects(archive, "jsonl")[1]

    assert submitted["sealed_state"] == "kept"
    assert "sealed" not in submitted
    assert "actor_name" not in submitted


def test_the_table_has_a_row_an_event_with_its_facts_as_json(archive: Ledger) -> None:
    table = rows(written(archive, "csv"))

    assert [row["type"] for row in table] == [event.type for event in events_of(archive)]
    assert json.loads(table[2]["facts"]) == {"pack": "newsroom"}
    assert table[2]["at"] == "2026-03-14T12:00:00.000000+00:00"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(desk=WORDS, model=WORDS, fact=st.text(st.characters(codec="utf-8"), max_size=60))
def test_every_text_survives_the_table_and_the_lines(ledger: Ledger, desk: str, model: str, fact: str) -> None:
    put = ledger.append(NewEvent(EventType.CLIP_VERIFIED, desk=desk, model=model, facts={"said": fact}))

    row = rows(written(ledger, "csv"))[put.seq]
    line = objects(ledger, "jsonl")[put.seq]

    assert (row["desk"], row["model"], json.loads(row["facts"])) == (desk, model, {"said": fact})
    assert (line["desk"], line["model"], line["facts"]) == (desk, model, {"said": fact})


@pytest.mark.parametrize("desk", ["=HYPERLINK(1)", "@x", "+1", "-1", "＝1"])
def test_a_desk_that_is_a_formula_is_a_text_in_the_table(ledger: Ledger, desk: str) -> None:
    ledger.append(NewEvent(EventType.CLIP_VERIFIED, desk=desk))

    assert f",'{desk},".encode() in written(ledger, "csv")


def test_parquet_gives_every_event_with_its_time_and_leaf(archive: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    path.write_bytes(written(archive, "parquet"))

    table = pq.read_table(path)

    events = events_of(archive)
    assert table.column("at").to_pylist() == [event.at for event in events]
    assert table.column("leaf").to_pylist() == [merkle.leaf_hash(event.body) for event in events]
    assert table.column("body").to_pylist() == [event.body.decode() for event in events]
    assert table.schema.metadata[b"org.platemark.origin"] == b"news.example/provenance"


def test_parquet_is_written_in_groups_of_a_thousand(long_story: Ledger, tmp_path: Path) -> None:
    long_story.append_all([NewEvent(EventType.CLIP_VERIFIED, clip=f"c{i}") for i in range(500)])
    path = tmp_path / "events.parquet"
    path.write_bytes(written(long_story, "parquet"))

    found = pq.ParquetFile(path)

    assert [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)] == [1000, 100]


# The fields that class 6003 requires in schema 1.3.0, and those of the objects in it that we write.
REQUIRED = {
    "activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint", "time",
    "type_uid",
}  # fmt: skip
ALLOWED = REQUIRED | {
    "activity_name", "category_name", "class_name", "type_name", "status_id", "message", "unmapped", "resources",
    "observables", "raw_data", "duration", "count", "end_time", "start_time", "timezone_offset", "status",
}  # fmt: skip
ENDPOINT_NEEDS = {"ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name"}
ACTOR_NEEDS = {"process", "user", "invoked_by", "session", "app_name", "app_uid"}


@pytest.mark.parametrize("seq", range(7))
def test_an_ocsf_object_has_the_fields_that_its_class_requires_and_no_others(archive: Ledger, seq: int) -> None:
    found = objects(archive, "ocsf")[seq]

    assert set(found) >= REQUIRED
    assert set(found) <= ALLOWED
    assert (found["category_uid"], found["class_uid"]) == (6, 6003)
    assert found["activity_id"] in (1, 2, 3, 4, 99)
    assert found["type_uid"] == 600300 + int(str(found["activity_id"]))


@pytest.mark.parametrize("seq", range(7))
def test_an_ocsf_objects_parts_meet_their_constraints(archive: Ledger, seq: int) -> None:
    found = api_activity(events_of(archive)[seq], SOURCE)
    parts = {name: set(dict(found[name])) for name in ("actor", "src_endpoint", "api", "metadata")}  # type: ignore[call-overload]

    assert parts["actor"] & ACTOR_NEEDS
    assert parts["src_endpoint"] & ENDPOINT_NEEDS
    assert "operation" in parts["api"]
    assert {"version", "product"} <= parts["metadata"]


def test_an_ocsf_time_is_in_milliseconds(archive: Ledger) -> None:
    assert objects(archive, "ocsf")[0]["time"] == 1_773_489_600_000


@pytest.mark.parametrize(
    ("kind", "activity"),
    [
        ("clip.published", 1),
        ("audit.queried", 2),
        ("clip.withdrawn", 3),
        ("subject.erased", 4),
        ("clock.regressed", 99),
    ],
)
def test_an_event_is_the_ocsf_activity_that_it_reads_like(ledger: Ledger, kind: str, activity: int) -> None:
    ledger.append(NewEvent(EventType(kind)))

    assert objects(ledger, "ocsf")[0]["activity_id"] == activity


@pytest.mark.parametrize(("decision", "status"), [("allow", 1), ("block", 2)])
def test_a_refusal_is_an_ocsf_failure(ledger: Ledger, decision: str, status: int) -> None:
    ledger.append(NewEvent(EventType.POLICY_DECIDED, decision=decision))

    assert objects(ledger, "ocsf")[0]["status_id"] == status


def test_the_prov_document_is_read_by_the_reference_library(archive: Ledger) -> None:
    document = prov.model.ProvDocument.deserialize(content=written(archive, "prov").decode(), format="json")

    assert len(list(document.get_records(prov.model.ProvActivity))) == 7
    assert len(list(document.get_records(prov.model.ProvAgent))) == 1
    assert {str(each.identifier) for each in document.get_records(prov.model.ProvEntity)} == {
        "pm:clip-clip-a",
        "pm:model-embedded-1",
    }


def test_a_published_clip_was_generated_by_its_publication(archive: Ledger) -> None:
    document = json.loads(written(archive, "prov"))

    (made,) = document["wasGeneratedBy"].values()
    assert made == {"prov:activity": "pm:event-5", "prov:entity": "pm:clip-clip-a"}
    (by,) = document["wasAttributedTo"].values()
    assert by["prov:agent"].startswith("pm:person-p-")


def test_a_withdrawn_clip_was_invalidated_once(story: Ledger) -> None:
    story.append(NewEvent(EventType.CLIP_WITHDRAWN, clip="clip-a", facts={"reason": "an error"}))
    story.append(NewEvent(EventType.CLIP_WITHDRAWN, clip="clip-a", facts={"reason": "again"}))

    document = json.loads(written(story, "prov"))

    assert [each["prov:activity"] for each in document["wasInvalidatedBy"].values()] == ["pm:event-7"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(clip=WORDS, model=WORDS)
def test_any_clip_and_model_name_makes_a_prov_document_that_can_be_read(ledger: Ledger, clip: str, model: str) -> None:
    ledger.append(NewEvent(EventType.CLIP_PUBLISHED, clip=clip, model=model))

    document = prov.model.ProvDocument.deserialize(content=written(ledger, "prov").decode(), format="json")

    assert document.records


@pytest.fixture
def peak() -> Callable[[Callable[[], object]], int]:
    """Give the most memory, in bytes, that Python held while an action ran."""
    import tracemalloc

    def measure(action: Callable[[], object]) -> int:
        tracemalloc.start()
        try:
            action()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure


@pytest.mark.parametrize("form", ["jsonl", "csv", "ocsf", "prov"])
def test_ten_times_the_events_take_no_more_memory(
    archive: Ledger, peak: Callable[[Callable[[], object]], int], form: str, tmp_path: Path
) -> None:
    first = events_of(archive)[1]

    def export(count: int) -> None:
        with (tmp_path / "out").open("wb") as file:
            write_events((first for _ in range(count)), file, form=form, source=SOURCE)

    export(10)
    few = peak(lambda: export(300))
    many = peak(lambda: export(3000))

    assert many < few + 200_000
