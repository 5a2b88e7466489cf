"""Which model a run uses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gptbuilder.conversations import execution, turns
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import builtin, drafts
from tests import world
from tests.providers.conftest import KEY, connected

# An execution gives its connection back, as a worker must.
pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("recommended", "used"), [("vast", "vast"), ("gone", "quick"), ("", "quick")])
def test_a_run_uses_the_recommended_model_while_it_is_offered(ada, endpoint, recommended, used):
    connected("Alpha", endpoint.url, "quick", "vast")
    gpt = world.trail_planner(ada, model=recommended)
    thread = turns.start_thread(ada, gpt, Thread.Purpose.PREVIEW)

    run = turns.start_turn(thread, ada, "Hello", NOW)
    execution.execute(run.pk)

    run.refresh_from_db()
    assert run.status == "completed"
    assert [request["model"] for request in endpoint.requests] == [used]
    assert run.model == used
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_turn_of_the_builder_uses_the_default(ada, endpoint):
    connected("Alpha", endpoint.url, "quick", "vast")
    gpt = world.trail_planner(ada, model="vast")
    drafts.apply(builtin.builder_gpt().pk, {"model": "vast"})
    thread = turns.start_thread(ada, builtin.builder_gpt(), Thread.Purpose.BUILDER, gpt)

    run = turns.start_turn(thread, ada, "Make it shorter", NOW)
    execution.execute(run.pk)

    assert {request["model"] for request in endpoint.requests} == {"quick"}
