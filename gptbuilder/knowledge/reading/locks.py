"""Office files under a password, opened by msoffcrypto."""

from __future__ import annotations

import io

import msoffcrypto
from msoffcrypto.exceptions import DecryptionError, InvalidKeyError

from gptbuilder.knowledge.reading.document import Unreadable

# With this password Excel locks workbooks that open without asking.
UNASKED = "VelvetSweatshop"


def is_locked(data: bytes) -> bool:
    """Whether a file asks for a password. One that is too damaged to tell is left to its parser."""
    try:
        return bool(msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted())
    except Exception:  # noqa: BLE001 - whatever a damaged file leads it to raise
        return False


def unlocked(data: bytes, password: str | None) -> bytes:
    """The file without its lock.

    Raises Unreadable: needs_password, wrong_password, or unsupported for a lock that msoffcrypto does not know.
    """
    for candidate in (password, UNASKED):
        if candidate is not None and (opened := _opened(data, candidate)) is not None:
            return opened
    raise Unreadable("needs_password" if password is None else "wrong_password")


def _opened(data: bytes, password: str) -> bytes | None:
    office = msoffcrypto.OfficeFile(io.BytesIO(data))
    out = io.BytesIO()
    # The old formats always check the password.
    check = {"verify_password": True} if office.format == "ooxml" else {}
    try:
        office.load_key(password=password, **check)
        office.decrypt(out)
    except InvalidKeyError:
        return None
    except DecryptionError as error:
        raise Unreadable("unsupported", f"its lock: {error}") from error
    return out.getvalue()
