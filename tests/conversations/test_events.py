"""What ends a stream that is being followed."""

import pytest
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from gptbuilder.conversations import events, turns
from gptbuilder.gpts import builtin

# The stream looks from a thread of its own, and closes that thread's connections.
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_that_is_deleted_meanwhile_ends_its_stream(ada):
    run = turns.begin(ada, builtin.default_gpt(), "Which walk has a lake?", timezone.now())
    request = RequestFactory().get("/")
    request.person, request.LANGUAGE_CODE = ada, "en"

    assert events._ended_meanwhile(request, run.pk) == ""
    run.thread.delete()

    with pytest.raises(Http404):
        events._ended_meanwhile(request, run.pk)
