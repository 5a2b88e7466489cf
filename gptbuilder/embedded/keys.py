"""The installation's secrets, made on the first start and kept in files that only their owner reads."""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from gptbuilder.embedded.places import CannotStart, write_atomically


def secret_key(home: Path) -> str:
    """SECRET_KEY. Losing the file signs everybody out."""
    return _kept(home / "secret_key", lambda: secrets.token_urlsafe(48))


def field_keys(home: Path) -> str:
    """FIELD_KEYS. Losing the file makes every stored credential unreadable."""
    return _kept(home / "field_keys", lambda: f"1:{secrets.token_hex(32)}")


def replace(home: Path, in_use: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Put other keys into the files; the old ones stay beside them. False when the keys in use came from elsewhere."""
    files = {"SECRET_KEY": home / "secret_key", "FIELD_KEYS": home / "field_keys"}
    if not all(path.exists() and path.read_text().strip() == in_use[name] for name, path in files.items()):
        return False
    for name, path in files.items():
        write_atomically(path.with_name(f"{path.name}.old"), in_use[name], mode=0o600)
        write_atomically(path, new[name], mode=0o600)
    return True


def _kept(path: Path, make: Callable[[], str]) -> str:
    try:
        if not path.exists():
            write_atomically(path, make(), mode=0o600)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        value = path.read_text().strip()
    except OSError as error:
        raise CannotStart(
            f"The secret in {path} cannot be read or written ({os.strerror(error.errno or 0)})."
        ) from error
    if not value:
        raise CannotStart(
            f"The secret in {path} is empty: put it back from a backup, or delete the file to have a new one made."
        )
    return value
