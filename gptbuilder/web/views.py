"""Pages and switches that belong to no single part: landing page, language, appearance, the model's state, errors."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gptbuilder.web import appearance as appearances
from gptbuilder.web import choices


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What a visitor sees at `/`; the project's URLs decide who is a visitor."""
    return render(request, "web/landing.html")


@require_safe
def connect_a_model(request: HttpRequest) -> HttpResponse:
    """How an administrator connects a model endpoint."""
    return render(request, "web/connect_a_model.html")


@never_cache
@require_safe
def model_status(request: HttpRequest) -> HttpResponse:
    """The model notice alone, for the page that asks again while the model loads."""
    return render(request, "components/model_notice.html")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language in this browser and, for someone signed in, with the account. Unknown: no change."""
    response = _back(request)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES) and check_for_language(chosen):
        choices.remember(response, settings.LANGUAGE_COOKIE_NAME, chosen)
        _keep_with_account(request, "language", chosen)
    return response


@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Keep light, dark or "as the system" in this browser and, for someone signed in, with the account."""
    response = _back(request)
    chosen = request.POST.get("appearance", "")
    if chosen in ("", *appearances.CHOICES):
        choices.remember(response, appearances.COOKIE, chosen)
        _keep_with_account(request, "appearance", chosen)
    return response


def error(request: HttpRequest, status: HTTPStatus, template: str) -> HttpResponse:
    """An error page that needs no database: nothing in its template asks who the person is."""
    theme = appearances.of_browser(request)
    return render(request, template, {"messages": [], "theme": theme}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, HTTPStatus.BAD_REQUEST, "400.html")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, HTTPStatus.FORBIDDEN, "403.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error(request, HTTPStatus.NOT_FOUND, "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    return error(request, HTTPStatus.INTERNAL_SERVER_ERROR, "500.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error(request, HTTPStatus.FORBIDDEN, "403_csrf.html")


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """To the page the form stood on, when that is ours."""
    target = request.POST.get("next") or request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if ours else "/")


def _keep_with_account(request: HttpRequest, field: str, value: str) -> None:
    user = request.user
    if user.is_authenticated:
        setattr(user, field, value)
        user.save(update_fields=[field])
