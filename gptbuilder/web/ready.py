"""Queries that nearly every request asks, and rows that it adds: Django puts their SQL together once, not each time.

For a small query that is most of its cost. What comes back are the model's instances, as from any queryset.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model, QuerySet
from django.db.models.query import ModelIterable

Row = TypeVar("Row", bound=Model)


class Text(str):
    """Stands for a text of the question, such as an id, while the SQL is made."""


class Time(datetime):
    """Stands for a time of the question while the SQL is made."""

    @classmethod
    def placeholder(cls) -> Time:
        return cls(2000, 1, 1, tzinfo=UTC)


class Ready(Generic[Row]):
    """`make` gives the queryset for the values of a question; `kinds` says of each value what it is.

    The values must reach the database unchanged and may not decide what is asked for.
    """

    def __init__(self, make: Callable[..., QuerySet[Row]], *kinds: type[str] | type[datetime]) -> None:
        self._make = make
        self._kinds = kinds
        self._made: tuple[Any, str, list[Any]] | None = None

    def rows(self, *values: Any) -> list[Row]:
        """One query."""
        made, sql, places = self._made or self._prepare()
        compiler = copy.copy(made)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        parameters = tuple(values[place] if is_value else place for is_value, place in places)
        compiler.as_sql = lambda: (sql, parameters)
        asked: Any = SimpleNamespace(
            db=DEFAULT_DB_ALIAS,
            model=made.query.model,
            query=SimpleNamespace(get_compiler=lambda using: compiler),
            _known_related_objects={},
        )
        return list(ModelIterable(asked))

    def first(self, *values: Any) -> Row | None:
        """One query. The queryset should be cut to one row, unless there cannot be more."""
        return next(iter(self.rows(*values)), None)

    def _prepare(self) -> tuple[Any, str, list[Any]]:
        stand_ins = [Text(n) if kind is str else Time.placeholder() for n, kind in enumerate(self._kinds)]
        compiler = self._make(*stand_ins).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select[: compiler.col_count]])
        compiler.get_converters = lambda columns: converters
        numbers = {id(stand_in): number for number, stand_in in enumerate(stand_ins)}
        places = [(id(value) in numbers, numbers.get(id(value), value)) for value in parameters]
        for number in range(len(stand_ins)):
            if (True, number) not in places:
                raise ValueError(f"The question makes no use of value {number}, or changes it.")
        self._made = (compiler, sql, places)
        return self._made


def insert(*instances: Model) -> None:
    """Store new instances, which may refer to each other, by one statement: all of them or none.

    Their keys are known before, and nothing that the database makes is read back. Sends no signals.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    sql, fields = _insertion(tuple(type(instance) for instance in instances))
    values = [
        field.get_db_prep_save(field.pre_save(instance, add=True), connection)
        for instance, its_fields in zip(instances, fields, strict=True)
        for field in its_fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    for instance in instances:
        instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insertion(models: tuple[type[Model], ...]) -> tuple[str, list[list[Field[Any, Any]]]]:
    """The statement for a row of each model, and the fields whose values it wants."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    fields = [[field for field in model._meta.local_concrete_fields if not field.generated] for model in models]
    insertions = [
        # Names of tables and columns only.
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(field.column) for field in its_fields)}) "  # noqa: S608
        f"VALUES ({', '.join(['%s'] * len(its_fields))})"
        for model, its_fields in zip(models, fields, strict=True)
    ]
    others = ", ".join(f"row_{number} AS ({insertion})" for number, insertion in enumerate(insertions[:-1]))
    return f"{f'WITH {others} ' if others else ''}{insertions[-1]}", fields
