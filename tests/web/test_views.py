"""Pages and switches of no single part."""

from __future__ import annotations

import json

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation

from gptbuilder.web import views


@pytest.fixture
def client() -> Client:
    return Client()


def visitor_page(path: str = "/") -> str:
    request = RequestFactory().get(path)
    return render_to_string("web/landing.html", {}, request)


def test_the_landing_page_leads_to_signing_up():
    html = visitor_page()

    assert "Make your own GPT by talking" in html
    assert 'href="/accounts/signup/"' in html


def test_the_language_is_kept_in_the_browser(client):
    response = client.post("/language/", {"language": "zh-hans", "next": "/healthz"})

    assert response.url == "/healthz"
    assert client.cookies["django_language"].value == "zh-hans"


def test_an_unknown_language_changes_nothing(client):
    client.post("/language/", {"language": "xx"})

    assert "django_language" not in client.cookies


def test_the_language_is_kept_with_the_account(as_person, ada):
    as_person(ada).post("/language/", {"language": "zh-hans"})

    ada.refresh_from_db()
    assert ada.language == "zh-hans"


def test_a_switch_never_leads_to_another_site(client):
    assert client.post("/language/", {"language": "en", "next": "https://evil.test/"}).url == "/"
    assert client.post("/appearance/", {"appearance": "dark", "next": "//evil.test/"}).url == "/"


def test_the_appearance_is_in_the_first_byte(client):
    client.post("/appearance/", {"appearance": "dark"})

    assert 'data-theme="dark"' in client.get("/connect-a-model/").content.decode()


@pytest.mark.django_db
def test_the_appearance_of_the_account_is_used_where_the_browser_has_none(as_person, ada):
    ada.appearance = "light"
    ada.save()

    assert 'data-theme="light"' in as_person(ada).get("/connect-a-model/").content.decode()


def test_back_to_the_system_is_a_choice_too(client):
    client.post("/appearance/", {"appearance": "dark"})
    client.post("/appearance/", {"appearance": ""})

    assert "data-theme" not in client.get("/connect-a-model/").content.decode()


def test_a_get_changes_nothing(client):
    assert client.get("/language/").status_code == 405
    assert client.get("/appearance/").status_code == 405


@pytest.mark.parametrize(
    ("view", "arguments", "status"),
    [
        (views.bad_request, [None], 400),
        (views.forbidden, [None], 403),
        (views.not_found, [None], 404),
        (views.server_error, [], 500),
        (views.csrf_failure, [], 403),
    ],
)
def test_error_pages_need_no_database_and_speak_the_language(view, arguments, status):
    request = RequestFactory().get("/nowhere/")
    request.COOKIES["appearance"] = "dark"

    with translation.override("zh-hans"):
        response = view(request, *arguments)

    assert response.status_code == status
    assert 'lang="zh-hans"' in response.content.decode()
    assert 'data-theme="dark"' in response.content.decode()


def test_pages_carry_no_inline_code_or_style():
    html = visitor_page()

    assert "<script>" not in html
    assert " style=" not in html
    assert " onclick=" not in html


def test_pages_send_the_safety_headers(client):
    response = client.get("/connect-a-model/")

    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.fixture
def status_file(settings, tmp_path):
    settings.LOCAL_MODEL = True
    settings.MODEL_STATUS_FILE = str(tmp_path / "model.json")

    def write(state: str, done: int = 0, total: int = 0, code: str = "") -> None:
        status = {"state": state, "done_bytes": done, "total_bytes": total, "message": "", "code": code}
        (tmp_path / "model.json").write_text(json.dumps(status))

    return write


@pytest.mark.django_db
def test_everybody_sees_how_far_the_model_is(client, status_file):
    status_file("fetching", 40, 100)

    html = client.get("/model-status/").content.decode()

    assert "fetching 40 %" in html
    assert 'hx-trigger="every 2s"' in html


@pytest.mark.django_db
def test_the_page_stops_asking_once_the_model_is_ready(client, status_file):
    status_file("ready")

    html = client.get("/model-status/").content.decode()

    assert "hx-trigger" not in html
    assert "demonstration" not in html


@pytest.mark.django_db
def test_administrators_learn_that_the_model_is_a_demonstration(as_person, mo, ada, status_file):
    status_file("ready")

    assert "demonstration model" in as_person(mo).get("/model-status/").content.decode()
    assert "demonstration model" not in as_person(ada).get("/model-status/").content.decode()


@pytest.mark.django_db
def test_a_model_that_failed_is_said_aloud(client, status_file):
    status_file("failed", code="fetch")

    assert "could not be fetched" in client.get("/model-status/").content.decode()


def test_with_an_endpoint_there_is_nothing_to_say(client, settings):
    settings.LOCAL_MODEL = False

    assert "banner" not in client.get("/model-status/").content.decode()


def test_pages_are_sent_compressed(client):
    response = client.get("/accounts/login/", headers={"Accept-Encoding": "gzip"})

    assert response["Content-Encoding"] == "gzip"
