"""What is a person's, over all layers: the way to export it, and to delete it.

accounts knows no layer above it, so each names its own `Holding` in settings.PERSONAL_DATA, the highest first. A test
walks all models and fails for one that no holding names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import FileField, Model, QuerySet
from django.utils.module_loading import import_string

from gptbuilder.accounts.models import User


@dataclass(frozen=True)
class Table:
    """Rows of one model that belong to a person. `without` names fields that nobody is given: hashes, keys."""

    model: str
    rows: Callable[[User], QuerySet[Any]]
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A file of the export. It is read when its turn comes, so that only one is in memory; None when it is gone."""

    path: str
    read: Callable[[], bytes | None]


def nothing(_person: User) -> Iterable[Any]:
    return ()


@dataclass(frozen=True)
class Holding:
    """What one layer keeps of people.

    `delete` is called before the person's row is deleted, in that transaction: for files, and for what others go on
    using. The rest goes with the row. `obstacles` gives sentences that say why the account cannot be closed yet.
    """

    tables: tuple[Table, ...] = ()
    impersonal: Mapping[str, str] = field(default_factory=dict)
    documents: Callable[[User], Iterable[Document]] = nothing
    delete: Callable[[User], object] = nothing
    obstacles: Callable[[User], Iterable[str]] = nothing


def holdings() -> list[Holding]:
    """Of every layer, the highest first."""
    return [cast("Holding", import_string(path)) for path in settings.PERSONAL_DATA]


def obstacles(person: User) -> list[str]:
    """Why this account cannot be closed yet, in the person's language."""
    return [sentence for holding in holdings() for sentence in holding.obstacles(person)]


def remove_files(names: Iterable[str]) -> None:
    """Delete these files of the storage, once the deletion of their rows is certain."""
    kept = list(names)

    def remove() -> None:
        for name in kept:
            default_storage.delete(name)

    transaction.on_commit(remove)


def as_dict(row: Model, without: tuple[str, ...]) -> dict[str, Any]:
    """The columns of a row as plain values."""
    columns = [column for column in row._meta.concrete_fields if column.name not in without]
    return {
        column.name: str(column.value_from_object(row))
        if isinstance(column, FileField)
        else column.value_from_object(row)
        for column in columns
    }
