"""A chain leads to a root by names and signatures, or it does not."""

from datetime import UTC, datetime

import pytest

from platemark_provenance.certificate_path import leads_to
from platemark_provenance.pki import DevelopmentPki, create_development_pki

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki() -> DevelopmentPki:
    return create_development_pki("Daily Example", now=NOW)


@pytest.fixture(scope="module")
def stranger() -> DevelopmentPki:
    return create_development_pki("Daily Example", now=NOW)


def test_a_chain_leads_to_the_root_that_issued_it(pki: DevelopmentPki, stranger: DevelopmentPki) -> None:
    assert leads_to(pki.leaf_chain_pem, [stranger.root_pem, pki.root_pem])


def test_a_root_of_the_same_name_and_another_key_issued_nothing(pki: DevelopmentPki, stranger: DevelopmentPki) -> None:
    assert not leads_to(pki.leaf_chain_pem, [stranger.root_pem])


def test_an_intermediate_may_be_the_anchor_itself(pki: DevelopmentPki) -> None:
    assert leads_to(pki.leaf_chain_pem, [pki.intermediate_pem])


def test_a_foreign_link_breaks_the_chain(pki: DevelopmentPki, stranger: DevelopmentPki) -> None:
    leaf = pki.leaf_chain_pem.split(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n"

    assert not leads_to(leaf + stranger.intermediate_pem, [stranger.root_pem])


@pytest.mark.parametrize(
    "garbage", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_cannot_be_read_leads_nowhere(pki: DevelopmentPki, garbage: bytes) -> None:
    assert not leads_to(garbage, [pki.root_pem])
    assert not leads_to(pki.leaf_chain_pem, [garbage])
    assert not leads_to(pki.leaf_chain_pem, [])
