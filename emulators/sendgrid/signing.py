"""The signatures of the Event Webhook: ECDSA over P-256 and SHA-256, of the timestamp and the body behind it.

The pair of keys is made of a text, so that whoever knows that can say the public one without asking.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
# The order of P-256's group: a private key is a number below it, and not 0.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def private_key(seed: str) -> Any:
    """The private key that a text gives."""
    from cryptography.hazmat.primitives.asymmetric import ec

    digest = hashlib.sha512(b"fulcrum sendgrid stand-in" + seed.encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key(seed: str) -> str:
    """Its public key as SendGrid's pages show it: DER in base64, without a frame."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = private_key(seed).public_key()
    return base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def headers(key: Any, timestamp: str, body: bytes) -> dict[str, str]:
    """The headers of a request with events."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}
