"""China's AIGC statement: written as read, and anything else is no statement."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark.errors import RequestError
from platemark.media.aigc import AigcStatement, read_statement

texts = st.text(max_size=100)


@given(st.sampled_from(["1", "2", "3"]), texts, texts, texts, texts)
def test_what_is_written_is_read_back(label: str, producer: str, number: str, by: str, reserved: str) -> None:
    statement = AigcStatement(label, producer, number, propagator=by, reserved_1=reserved)  # type: ignore[arg-type]

    assert read_statement(statement.to_text()) == statement


def test_the_field_names_are_those_of_the_standard() -> None:
    written = json.loads(AigcStatement("1", "Daily", "7").to_text())

    assert list(written) == [
        "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2",
    ]  # fmt: skip


@given(st.text(max_size=200))
def test_any_other_text_is_no_statement(text: str) -> None:
    assert read_statement(text) is None


@pytest.mark.parametrize(
    "text",
    ['{"Label": 1}', '{"Label": "4"}', '[{"Label": "1"}]', "[" * 3000, '{"Label": "1", "ProduceID": ["x"]}',
     '{"Label": "1", "ProduceID": "' + "x" * 300 + '"}', '{"Label": "1"' + " " * 5000 + "}"],
)  # fmt: skip
def test_a_statement_with_one_fault_is_no_statement(text: str) -> None:
    assert read_statement(text) is None


@pytest.mark.parametrize(("label", "producer"), [("0", "Daily"), ("1", "x" * 257)])
def test_a_statement_that_cannot_be_is_refused(label: str, producer: str) -> None:
    with pytest.raises(RequestError):
        AigcStatement(label, producer, "7")  # type: ignore[arg-type]
