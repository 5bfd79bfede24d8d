"""Claims signed by a function of the caller: the way to every cloud key service.

One rule: what the function raises reaches the caller as `KeyUnavailable`, and what it returns is checked, not believed.

With AWS KMS, for instance (DIGEST because RAW takes at most 4,096 bytes and a claim can be longer):

    def open_kms(uri: str, request: SignerRequest) -> ClaimSigner:
        algorithm, key_id = algorithm_named(request.alg), uri.removeprefix("kms:")

        def sign(content: bytes) -> bytes:
            answer = kms.sign(KeyId=key_id, Message=digest_of(algorithm, content), MessageType="DIGEST",
                              SigningAlgorithm="ECDSA_SHA_256")
            return answer["Signature"]

        return CallbackSigner(request.alg, request.chain_pem, sign)

    studio_signers = STANDARD_SIGNERS.with_scheme("kms", open_kms)
"""

from collections.abc import Callable
from dataclasses import dataclass

from platemark_provenance.errors import KeyUnavailable
from platemark_provenance.signers.algorithms import algorithm_named, raw_signature
from platemark_provenance.signers.claim_signer import ForeignCode

MAX_SIGNATURE_BYTES = 2_048
"""RSA with 16,384 bits makes 2,048 bytes; nothing that signs claims makes more."""


@dataclass(frozen=True, slots=True)
class CallbackSigner:
    """Signs through a function.

    Args:
        alg: one of the names in `SIGNING_ALGORITHMS`.
        chain_pem: the certificates in PEM, leaf first.
        callback: gets the content to sign (not a digest of it) and gives the signature; ECDSA may come in DER.
    """

    alg: str
    chain_pem: bytes
    callback: Callable[[bytes], bytes]

    def sign(self, data: bytes) -> bytes:
        """Let the function sign, and give its signature as COSE wants it.

        Raises:
            KeyUnavailable: the function failed (chained), or did not give a signature.
        """
        with ForeignCode("The signing function"):
            signature: object = self.callback(data)
        if not isinstance(signature, bytes):
            raise KeyUnavailable(f"A signing function must give bytes; got {type(signature).__name__}.")
        if not 0 < len(signature) <= MAX_SIGNATURE_BYTES:
            raise KeyUnavailable(
                f"A signature has 1 to {MAX_SIGNATURE_BYTES} bytes; the signing function gave {len(signature)}."
            )
        return raw_signature(algorithm_named(self.alg), signature)
