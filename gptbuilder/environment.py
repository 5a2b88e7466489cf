"""What settings.py reads the environment with: words, numbers, lists, addresses of databases, identity providers."""

from __future__ import annotations

import json
import os
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from gptbuilder.lib.safe_http.destinations import AllowList


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def env_bool(name: str, default: bool) -> bool:
    value = env(name).lower()
    if value not in ("", "0", "1", "true", "false", "yes", "no", "on", "off"):
        raise ImproperlyConfigured(f"{name} must be 0 or 1.")
    return default if value == "" else value in ("1", "true", "yes", "on")


def env_int(name: str, default: int) -> int:
    try:
        return int(env(name) or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


def database(url: str) -> dict[str, object]:
    """A PostgreSQL address as Django wants it; `?host=/folder` names a socket folder."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres://")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    pool = env_int("DATABASE_POOL", 16)
    prepared = env_bool("DATABASE_PREPARED_STATEMENTS", default=True)
    return {
        "ENGINE": "gptbuilder.web.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "gptbuilder",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        # A conversation waits for seconds: it must never hold a connection meanwhile, so they are pooled.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **({"pool": {"min_size": 1, "max_size": pool, "timeout": 20, "max_idle": 5}} if pool else {}),
            # Statements are planned once for a connection; not behind a pooler that mixes up whose they are.
            **({"server_side_binding": True, "prepare_threshold": 2} if prepared else {}),
            "application_name": "gptbuilder",
            **query,
        },
    }


def broker(redis_url: str) -> str:
    """A Redis address as Celery wants it, which names a socket in its own way."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


def allow_list(entries: list[str]) -> AllowList:
    """The entries of OUTBOUND_ALLOWED_HOSTS as the client of lib/safe_http wants them."""
    try:
        return AllowList.parse(entries)
    except ValueError as error:
        raise ImproperlyConfigured(f"OUTBOUND_ALLOWED_HOSTS: {error}") from error


def oidc_providers(text: str) -> list[dict[str, object]]:
    """The entries of OIDC_PROVIDERS as allauth wants them."""
    try:
        return [
            {
                "provider_id": entry["id"],
                "name": entry["name"],
                "client_id": entry["client_id"],
                "secret": entry["secret"],
                "settings": {
                    "server_url": entry["server_url"],
                    "email_authentication": bool(entry.get("link_by_email")),
                },
            }
            for entry in json.loads(text or "[]")
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise ImproperlyConfigured(
            "OIDC_PROVIDERS must be a JSON list of objects with id, name, server_url, client_id and secret."
        ) from error
