"""Secrets at rest: sealed with AES-256-GCM, and bound to the row that holds them.

Keys are texts `id:64 hex digits`. The first one seals, every one opens what it has sealed, so a new key is put in
front and the old one stays until everything is sealed anew. What was sealed for one row does not open in another.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY = re.compile(r"([A-Za-z0-9_-]{1,16}):([0-9a-fA-F]{64})")
FORM = "s1"
NONCE_BYTES = 12


class SealingError(Exception):
    """Something is wrong with the keys or with what was sealed. The message holds no secret."""


class KeyMissing(SealingError):
    """There is no key to seal with, or not the one that something was sealed with."""


class KeyMalformed(SealingError):
    """A key is not of the form `id:64 hex digits`, or two have the same id."""


class SealBroken(SealingError):
    """It was changed, was sealed for another row, or by another key of the same id."""


def row_identity(table: str, pk: object, field: str) -> str:
    """Where a sealed text stands, such as "providers.Provider", its primary key, "sealed_key"."""
    return f"{table}.{field}:{pk}"


def seal(text: str, identity: str, keys: Sequence[str]) -> str:
    """`text` sealed for `identity` with the first key. Sealing twice gives two different texts."""
    ring = _parsed(keys)
    if not ring:
        raise KeyMissing("There is no key to seal with: FIELD_KEYS is empty.")
    key_id, key = next(iter(ring.items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound(key_id, identity))
    return f"{FORM}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def open_sealed(sealed: str, identity: str, keys: Sequence[str]) -> str:
    """The text that was sealed for `identity`. Raises SealingError."""
    key_id, body = _parts(sealed)
    key = _parsed(keys).get(key_id)
    if key is None:
        raise KeyMissing(f"It was sealed with the key “{key_id}”, which is not among FIELD_KEYS.")
    try:
        return AESGCM(key).decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _bound(key_id, identity)).decode()
    except InvalidTag:
        raise SealBroken("It was changed, belongs to another row, or was sealed with another key.") from None


def resealed(sealed: str, identity: str, keys: Sequence[str]) -> str:
    """The same secret sealed with the first key; the same text when that key has sealed it. Raises SealingError."""
    if _parts(sealed)[0] == next(iter(_parsed(keys)), None):
        return sealed
    return seal(open_sealed(sealed, identity, keys), identity, keys)


def is_sealed(text: str) -> bool:
    """Whether it has the form of a sealed text."""
    try:
        _parts(text)
    except SealBroken:
        return False
    return True


def _bound(key_id: str, identity: str) -> bytes:
    return f"{FORM}\0{key_id}\0{identity}".encode()


def _parts(sealed: str) -> tuple[str, bytes]:
    form, _, rest = sealed.partition(".")
    key_id, _, body = rest.partition(".")
    try:
        data = base64.b64decode(body, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if form != FORM or len(data) <= NONCE_BYTES:
        raise SealBroken("It is not a sealed text.")
    return key_id, data


def _parsed(keys: Sequence[str]) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for number, text in enumerate(keys, 1):
        found = KEY.fullmatch(text.strip())
        if found is None:
            raise KeyMalformed(f"Key {number} of FIELD_KEYS is not of the form id:64 hex digits.")
        if found[1] in ring:
            raise KeyMalformed(f"FIELD_KEYS holds two keys with the id “{found[1]}”.")
        ring[found[1]] = bytes.fromhex(found[2])
    return ring
