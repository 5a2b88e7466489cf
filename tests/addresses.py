"""Every address of the site, as the URL configuration has it: what must hold for all of them is asked here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse


@dataclass(frozen=True)
class Address:
    name: str
    variables: tuple[str, ...]

    def paths(self, values: dict[str, list[str]]) -> Iterator[str]:
        """With every combination of the values."""
        for chosen in itertools.product(*(values[variable] for variable in self.variables)):
            yield self._path(chosen)

    def paths_in_step(self, values: dict[str, list[str]]) -> Iterator[str]:
        """With every value at least once."""
        columns = [values[variable] for variable in self.variables]
        for number in range(max(map(len, columns))):
            yield self._path([column[number % len(column)] for column in columns])

    def _path(self, chosen: Iterable[str]) -> str:
        return reverse(self.name, kwargs=dict(zip(self.variables, chosen, strict=True)))


def addresses() -> list[Address]:
    """Every address of the URL configuration that has a name, the admin's and allauth's too."""
    return list(_addresses(get_resolver(), "", ()))


def of_the_admin(address: Address) -> bool:
    return address.name.startswith("admin:")


def of_allauth(address: Address) -> bool:
    return address.name.startswith(("account_", "mfa_", "usersessions_", "socialaccount_", "openid_connect_"))


def _addresses(resolver: URLResolver, namespace: str, before: tuple[str, ...]) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        variables = (*before, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _addresses(pattern, inner, variables)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}", variables)
