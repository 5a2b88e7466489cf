"""The administration's pages."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from gptbuilder.gpts.models import Draft
from gptbuilder.lib import sealing
from gptbuilder.providers import checking, editing, entries, getting_ready
from gptbuilder.providers.models import ConnectionCheck, Provider
from tests import world
from tests.providers.conftest import KEY, connected

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
VALUES = {
    "name": "Beta",
    "base_url": "https://beta.test/v1/",
    "key": KEY,
    "is_enabled": "on",
    "first_token_timeout_seconds": "90",
    "idle_timeout_seconds": "30",
}


@pytest.fixture
def client(mo, as_person) -> Client:
    return as_person(mo)


def addresses(provider: Provider) -> list[str]:
    one, model = f"/administration/models/{provider.pk}/", provider.models.get()
    parts = ["", "default/", "deletion/", "restoration/", "checks/", "models/"]
    return [
        "/administration/",
        "/administration/test-mail/",
        "/administration/dismissal/",
        "/administration/models/",
        "/administration/models/new/",
        "/administration/models/environment/checks/",
        *[one + part for part in parts],
        *[f"{one}models/{model.pk}/{part}" for part in ("", "default/", "removal/")],
    ]


def test_for_everybody_else_the_pages_do_not_exist(provider, ada, cleo, as_person):
    for person in (Client(), as_person(ada), as_person(cleo)):
        for address in addresses(provider):
            for method in (person.get, person.post):
                response = method(address, VALUES)
                assert response.status_code in (404, 405), (address, response.status_code)
                assert KEY not in response.content.decode()
                assert provider.name not in response.content.decode()

    assert Provider.objects.get().name == provider.name
    assert not mail.outbox


def test_a_provider_is_added_and_its_key_is_sealed(client):
    response = client.post("/administration/models/new/", VALUES)

    made = Provider.objects.get()
    assert response.url == f"/administration/models/{made.pk}/"
    assert (made.base_url, made.first_token_timeout_seconds) == ("https://beta.test/v1", 90)
    assert KEY not in made.sealed_key
    assert made.open_key() == KEY
    assert checking.latest(made).model_name == ""


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("api.openai.com/v1", "This is not an address"),
        ("ftp://beta.test/v1", "This is not an address"),
        ("https://", "This is not an address"),
        ("https://[oops/v1", "This is not an address"),
        ("https://name:secret@beta.test/v1", "the key has its own field"),
        ("https://beta.test/v1?key=1", "what follows ?"),
    ],
)
def test_an_address_that_is_none_is_refused_in_plain_words(client, address, sentence):
    response = client.post("/administration/models/new/", {**VALUES, "base_url": address})

    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert KEY not in response.content.decode()
    assert not Provider.objects.exists()


def test_the_whole_address_of_the_chat_is_understood(client):
    client.post("/administration/models/new/", {**VALUES, "base_url": "https://beta.test/v1/chat/completions"})

    assert Provider.objects.get().base_url == "https://beta.test/v1"


def test_without_keys_to_seal_with_nothing_is_stored(client, settings):
    settings.FIELD_KEYS = []

    response = client.post("/administration/models/new/", VALUES)

    assert response.status_code == 422
    assert "FIELD_KEYS is not set" in response.content.decode()
    assert not Provider.objects.exists()


def test_the_key_is_on_no_page(client, provider):
    editing.delete(connected("Gone", "http://gone.test/v1", "old"), timezone.now())
    pages = ["/administration/", "/administration/models/", f"/administration/models/{provider.pk}/", "/admin/"]

    for address in pages:
        html = client.get(address).content.decode()
        assert KEY not in html
        assert provider.sealed_key not in html


def test_an_empty_key_keeps_the_one_that_is_there(client, provider):
    client.post(f"/administration/models/{provider.pk}/", {**VALUES, "base_url": provider.base_url, "key": ""})

    provider.refresh_from_db()
    assert (provider.name, provider.open_key()) == ("Beta", KEY)


def test_a_kept_key_does_not_follow_to_another_server(client, provider):
    response = client.post(f"/administration/models/{provider.pk}/", {**VALUES, "key": ""})

    assert response.status_code == 422
    assert "Enter the key again" in response.content.decode()
    assert Provider.objects.get().base_url == provider.base_url


def test_a_key_can_be_forgotten(client, provider):
    client.post(f"/administration/models/{provider.pk}/", {**VALUES, "key": "", "drops_key": "on"})

    assert not Provider.objects.get().has_key


def test_an_edit_is_in_force_at_once(client, provider):
    assert entries.default_entry().name == "quick"

    client.post(f"/administration/models/{provider.pk}/", {**VALUES, "is_enabled": ""})

    assert entries.default_entry().name != "quick"


def test_a_key_that_cannot_be_opened_is_said(client, provider, settings):
    settings.FIELD_KEYS = [f"2:{'cd' * 32}"]

    assert "cannot be opened" in client.get(f"/administration/models/{provider.pk}/").content.decode()
    assert "cannot be opened" in client.get("/administration/models/").content.decode()


def test_a_test_is_started_followed_and_told(client, provider):
    address = f"/administration/models/{provider.pk}/checks/"

    begun = client.post(address, **HTMX).content.decode()
    checking.run(ConnectionCheck.objects.get().pk)
    ended = client.get(address, **HTMX).content.decode()

    assert 'hx-trigger="every 1s"' in begun
    assert "hx-trigger" not in ended
    assert "2 models found" in ended
    assert "It sees pictures." in ended
    assert f'id="abilities-{provider.models.get().pk}" hx-swap-oob="true"' in ended


def test_models_that_were_found_are_taken_over_and_the_first_is_tested(client, provider):
    Provider.objects.update(listed_models=["quick", "vast", "wide"])
    assert 'value="vast"' in client.get(f"/administration/models/{provider.pk}/").content.decode()

    client.post(f"/administration/models/{provider.pk}/models/", {"found": ["vast", "wide", "quick"], "name": " own "})

    assert set(provider.models.values_list("name", flat=True)) == {"quick", "vast", "wide", "own"}
    assert checking.latest(provider).model_name == "vast"


def test_prices_and_sizes_are_kept_per_model(client, provider):
    model = provider.models.get()
    values = {
        "label": "Quick", "context_window": "32000", "max_output_tokens": "4096", "input_price": "0.4",
        "output_price": "1.6", "is_enabled": "on", "tools": "on",
    }  # fmt: skip

    client.post(f"/administration/models/{provider.pk}/models/{model.pk}/", values)

    entry = entries.default_entry()
    assert (entry.context_window, entry.max_output_tokens) == (32000, 4096)
    assert (entry.input_price_micros, entry.output_price_micros) == (400_000, 1_600_000)
    assert (entry.tools, entry.vision) == (True, False)
    assert 'value="0.4"' in client.get(f"/administration/models/{provider.pk}/").content.decode()


def test_a_wrong_size_comes_back_with_a_sentence(client, provider):
    model = provider.models.get()

    response = client.post(
        f"/administration/models/{provider.pk}/models/{model.pk}/", {"context_window": "5", "max_output_tokens": "9"}
    )

    assert response.status_code == 422
    assert "<details open>" in response.content.decode()


def test_a_model_belongs_to_its_provider(client, provider):
    other = connected("Other", "http://other.test/v1", "small")

    response = client.post(f"/administration/models/{other.pk}/models/{provider.models.get().pk}/removal/")

    assert response.status_code == 404
    assert provider.models.exists()


def test_a_deletion_is_in_force_at_once_and_can_be_undone(client, provider):
    editing.make_default(provider)

    gone = client.post(f"/administration/models/{provider.pk}/deletion/", **HTMX)
    assert entries.default_entry().name != "quick"
    assert client.get(f"/administration/models/{provider.pk}/").status_code == 404
    undo = json.loads(gone["HX-Trigger"])["toast"]["undo"]
    client.post(undo["url"], **HTMX)

    assert entries.default_entry().name == "quick"
    assert Provider.objects.get().is_default


def test_what_comes_back_does_not_take_the_default_away(client, provider):
    editing.make_default(provider)
    editing.delete(provider, timezone.now())
    editing.make_default(connected("Next", "http://next.test/v1", "new"))

    client.post(f"/administration/models/{provider.pk}/restoration/")

    assert entries.default_entry().name == "new"


def test_after_a_day_the_key_is_gone(provider):
    now = timezone.now()
    editing.delete(provider, now)

    assert editing.purge(now + timedelta(hours=23)) == 0
    assert editing.purge(now + timedelta(hours=25)) == 1
    assert not Provider.objects.exists()


def test_keys_are_rotated_by_a_command(provider, settings):
    from django.core.management import call_command

    old, new = settings.FIELD_KEYS[0], f"2:{'cd' * 32}"
    settings.FIELD_KEYS = [new, old]

    call_command("rotate_field_keys")
    call_command("rotate_field_keys")

    settings.FIELD_KEYS = [new]
    provider.refresh_from_db()
    assert provider.open_key() == KEY


def test_a_rotation_without_the_old_key_says_so_and_changes_nothing(provider, settings, capsys):
    from django.core.management import CommandError, call_command

    settings.FIELD_KEYS = [f"2:{'cd' * 32}"]

    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("rotate_field_keys")

    provider.refresh_from_db()
    assert sealing.open_sealed(provider.sealed_key, f"providers.Provider.sealed_key:{provider.pk}", [f"1:{'ab' * 32}"])
    assert KEY not in capsys.readouterr().err


def test_a_builder_may_recommend_a_model_where_there_is_a_choice(ada, as_person, provider):
    gpt, builder = world.trail_planner(ada), as_person(ada)
    address = f"/gpts/{gpt.pk}/edit/configure/"
    assert 'id="model"' not in builder.get(address).content.decode()
    editing.add_models(provider, ["vast"])

    assert 'id="model"' in builder.get(address).content.decode()
    builder.post(f"/gpts/{gpt.pk}/draft/", {"model": "vast"})
    refused = builder.post(f"/gpts/{gpt.pk}/draft/", {"model": "another"})

    assert Draft.objects.get(gpt=gpt).model == "vast"
    assert refused.status_code == 422
    editing.remove_model(provider.models.get(name="vast"))
    assert "no longer offered" in builder.get(address).content.decode()


def test_the_list_of_first_steps_tells_what_is_open(client, settings):
    settings.LOCAL_MODEL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    settings.BASE_URL = "http://127.0.0.1:8000"

    html = client.get("/administration/").content.decode()

    assert "3 steps left" in html
    assert "The small demonstration model answers." in html


def test_everything_done_is_seen(client, settings, provider):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.BASE_URL = "https://gpts.example.org"
    checking.run(checking.start(provider, "quick", timezone.now()).pk)

    assert "Everything is ready." in client.get("/administration/").content.decode()


@pytest.mark.parametrize(
    "address", ["http://gpts.example.org", "https://localhost", "https://127.0.0.1", "https://[::1]"]
)
def test_an_address_for_oneself_is_no_address(client, settings, address):
    settings.BASE_URL = address

    assert f"It calls itself {address}." in client.get("/administration/").content.decode()


def test_a_test_mail_goes_to_the_one_who_asks(client, mo, monkeypatch):
    monkeypatch.setattr(getting_ready, "SILENT_BACKENDS", ())

    client.post("/administration/test-mail/")

    assert [message.to for message in mail.outbox] == [[mo.email]]
    assert "Sent to mo@example.org" in client.get("/administration/").content.decode()


def test_mail_that_nobody_gets_is_not_called_sent(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "Send me a test" not in client.get("/administration/").content.decode()

    client.post("/administration/test-mail/")

    assert "only written to the log. Set" in client.get("/administration/").content.decode()


def test_a_mail_server_that_is_not_there_is_said_in_plain_words(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    client.post("/administration/test-mail/")

    assert "Nothing listens at 127.0.0.1, port 9." in client.get("/administration/").content.decode()


def test_the_list_can_be_put_away_and_brought_back(client):
    client.post("/administration/dismissal/")
    assert "put away" in client.get("/administration/").content.decode()

    client.post("/administration/dismissal/", {"show": "1"})
    assert "Put the list away" in client.get("/administration/").content.decode()


def test_the_notice_about_the_local_model_leads_here_and_ends_with_a_provider(client, settings, provider):
    settings.LOCAL_MODEL = True
    settings.MODEL_STATUS_FILE = ""
    assert "demonstration" not in client.get("/model-status/").content.decode()

    editing.delete(provider, timezone.now())

    assert 'href="/administration/"' in client.get("/model-status/").content.decode()


def test_only_administrators_are_led_here(client, ada, as_person):
    assert 'href="/administration/"' in client.get("/gpts/").content.decode()
    assert 'href="/administration/"' not in as_person(ada).get("/gpts/").content.decode()
