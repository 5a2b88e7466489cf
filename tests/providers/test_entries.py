"""Which model answers."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.db import IntegrityError, connection, transaction

from gptbuilder.gpts import drafts, versions
from gptbuilder.gpts.models import Draft, GPTVersion
from gptbuilder.providers import editing, entries
from gptbuilder.providers.models import Provider, ProviderModel
from tests import world
from tests.providers.conftest import KEY, connected

pytestmark = pytest.mark.django_db


def test_without_a_provider_the_environment_answers(settings):
    settings.OPENAI_MODEL = "from-the-environment"

    assert entries.default_entry().name == "from-the-environment"
    assert entries.entry_for("anything").name == "from-the-environment"


def test_a_provider_with_a_model_takes_the_place_of_the_environment():
    connected("Alpha", "http://alpha.test/v1", "quick")

    entry = entries.default_entry()

    assert (entry.name, entry.provider.base_url, entry.provider.api_key) == ("quick", "http://alpha.test/v1", KEY)
    assert not entry.is_demonstration


def test_a_provider_without_a_model_or_out_of_use_does_not(settings):
    settings.OPENAI_MODEL = "from-the-environment"
    connected("Empty", "http://empty.test/v1")
    idle = connected("Idle", "http://idle.test/v1", "quick")
    idle.is_enabled = False
    editing.save(idle)

    assert entries.default_entry().name == "from-the-environment"


def test_the_default_of_the_default_provider_answers():
    connected("Alpha", "http://alpha.test/v1", "quick")
    beta = connected("Beta", "http://beta.test/v1", "slow", "vast")

    editing.make_default(beta)
    editing.make_default_model(beta.models.get(name="vast"))

    assert [offer.entry.name for offer in entries.offers()] == ["vast", "slow", "quick"]


def test_the_database_holds_one_default_at_most():
    alpha, beta = connected("Alpha", "http://alpha.test/v1", "a"), connected("Beta", "http://beta.test/v1", "b", "c")
    editing.make_default(alpha)

    with pytest.raises(IntegrityError), transaction.atomic():
        Provider.objects.filter(pk=beta.pk).update(is_default=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderModel.objects.filter(provider=beta).update(is_default=True)


def test_the_rows_are_asked_once_and_then_remembered(django_assert_num_queries):
    connected("Alpha", "http://alpha.test/v1", "quick", "vast")

    with django_assert_num_queries(1):
        for _ in range(20):
            assert entries.entry_for("vast").name == "vast"


def test_an_edit_of_another_process_is_seen_within_five_seconds(monkeypatch):
    connected("Alpha", "http://alpha.test/v1", "quick")
    assert entries.default_entry().name == "quick"
    ProviderModel.objects.update(name="renamed")
    clock = entries.time.monotonic() + 5

    assert entries.default_entry().name == "quick"
    monkeypatch.setattr(entries.time, "monotonic", lambda: clock)

    assert entries.default_entry().name == "renamed"


def test_a_key_that_cannot_be_opened_leads_nowhere_else(settings, caplog):
    connected("Alpha", "http://alpha.test/v1", "quick")
    settings.FIELD_KEYS = [f"2:{'cd' * 32}"]
    entries.forget()

    entry = entries.default_entry()

    assert (entry.provider.base_url, entry.provider.api_key) == ("http://alpha.test/v1", "")
    assert "cannot be opened" in caplog.text


def test_a_key_moved_to_another_row_does_not_open():
    alpha, beta = connected("Alpha", "http://alpha.test/v1", "a"), connected("Beta", "http://beta.test/v1", "b")

    Provider.objects.filter(pk=beta.pk).update(sealed_key=alpha.sealed_key)

    beta.refresh_from_db()
    assert not beta.has_readable_key
    assert alpha.has_readable_key


def test_a_key_shows_in_no_representation(caplog):
    alpha = connected("Alpha", "http://alpha.test/v1", "quick")

    shown = [repr(alpha), str(alpha), repr(vars(alpha)), repr(entries.offers()), repr(entries.default_entry())]

    assert KEY not in "".join(shown)
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM providers_provider p")
        assert KEY not in str(cursor.fetchall())


def test_what_was_published_before_there_was_a_choice_keeps_its_digest(ada):
    gpt = world.trail_planner(ada)
    since = {"model", "files", "is_confidential", "quote_words"}
    values = {name: value for name, value in gpt.draft.configuration().items() if name not in since}

    earlier = hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    assert gpt.draft.digest() == earlier
    drafts.apply(gpt.pk, {"model": "vast"})
    assert Draft.objects.get(gpt=gpt).digest() != gpt.draft.digest()


def test_a_frozen_version_keeps_the_model_it_recommends(ada):
    version = versions.snapshot(world.trail_planner(ada, model="vast").draft)

    with pytest.raises(IntegrityError), transaction.atomic():
        GPTVersion.objects.filter(pk=version.pk).update(model="quick")
