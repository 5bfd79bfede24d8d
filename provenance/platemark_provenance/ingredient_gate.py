"""Read the files that are to go into a clip, and say which of them must not.

One rule: the same questions before the work starts and again when the claim is signed, so that nobody waits for a clip
that could never have been signed, and nothing slips in meanwhile.
"""

from collections.abc import Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from platemark_provenance.claim_writer import read_store
from platemark_provenance.ingredient_check import Evidence, Objection, list_objections
from platemark_provenance.manifest_facts import Ingredient, check_ingredients_fit
from platemark_provenance.report_json import Store
from platemark_provenance.trust import TrustStore, for_size
from platemark_provenance.verification import read_provenance


def find_objections(ingredients: Sequence[Ingredient], trust: TrustStore, *, chain_pem: bytes) -> tuple[Objection, ...]:
    """Verify every ingredient and list the objections, in the order of the ingredients, the worst first.

    Args:
        ingredients: the files and how they are to be used.
        trust: whose signatures count.
        chain_pem: of the certificate that will sign: what its organisation signed before is its own to use.

    Raises:
        SigningError: no manifest can have such a list of ingredients.
        VerificationError: a file cannot be opened.
    """
    check_ingredients_fit(tuple(ingredients))
    organisation = _organisation(chain_pem) if ingredients else ""
    settings = trust.settings_for_signer()
    objections: list[Objection] = []
    for each in ingredients:
        reading = read_provenance(each.path, trust)
        asked = each.fed_to_model and reading.state == "present"
        store = read_store(each.path, for_size(settings, each.path.stat().st_size)) if asked else Store({})
        objections += list_objections(each, Evidence(reading, store), organisation=organisation)
    return tuple(objections)


def _organisation(chain_pem: bytes) -> str:
    try:
        names = x509.load_pem_x509_certificates(chain_pem)[0].subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    except ValueError:
        return ""  # the nonce check says what is wrong with the chain
    return str(names[0].value) if names else ""
