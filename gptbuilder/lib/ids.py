"""Identifiers: a word, an underscore, 26 letters that sort by time (the layout of a ULID)."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """`thread_01jd…`: 48 bits of milliseconds, then 80 random bits. Unguessable; sorts by creation."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return f"{prefix}_{''.join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))}"


def new_token() -> str:
    """A secret for an address: 128 random bits, safe in a URL."""
    return secrets.token_urlsafe(16)
