"""Paths of pages are those Django gives."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse, set_script_prefix

from gptbuilder.lib.ids import new_id
from gptbuilder.web.paths import path


@pytest.mark.parametrize("view", ["conversations:thread", "conversations:events", "gpts:picture"])
def test_one_id_after_the_other(view):
    for _ in range(2):
        ids = [new_id("thing") for _ in range(2 if view == "gpts:picture" else 1)]
        assert path(view, *ids) == reverse(view, args=ids)


@pytest.mark.parametrize("value", ["a b", "run_é", 7])
def test_what_is_no_id_is_quoted(value):
    assert path("conversations:thread", value) == reverse("conversations:thread", args=[value])


def test_the_place_of_the_site_counts():
    run = new_id("run")
    path("conversations:events", run)
    set_script_prefix("/below/")
    try:
        assert path("conversations:events", run) == f"/below/runs/{run}/events"
    finally:
        set_script_prefix("/")


def test_a_view_that_is_not_there_is_an_error():
    with pytest.raises(NoReverseMatch):
        path("conversations:nowhere", new_id("run"))
