"""Everybody has a workspace of their own."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from gptbuilder.workspaces.models import Workspace


@pytest.mark.django_db
def test_a_personal_workspace_is_made_once_with_its_owner_in_it(ada):
    first = Workspace.objects.personal(ada)

    assert Workspace.objects.personal(ada) == first
    assert [(member.user, member.role) for member in first.memberships.all()] == [(ada, "owner")]


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_get_the_same_workspace(ada):
    found: list[Workspace] = []

    def ask() -> None:
        try:
            found.append(Workspace.objects.personal(ada))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4 and len(set(found)) == 1
    assert Workspace.objects.filter(personal_of=ada).count() == 1
