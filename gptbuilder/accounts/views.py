"""The settings page, and signing in with a one-time link. Everything else about accounts is allauth's."""

from __future__ import annotations

from typing import cast

from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts import security, settings_page, sign_in_links
from gptbuilder.accounts.forms import EmailForm, PreferencesForm, ProfileForm
from gptbuilder.accounts.models import User
from gptbuilder.web import appearance, choices

BACKEND = "gptbuilder.accounts.backends.PageBackend"


@never_cache
@require_safe
@login_required
def settings(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    form = ProfileForm(request.POST, instance=_person(request))
    if not form.is_valid():
        return _page(request, profile_form=form, status=422)
    form.save()
    return _saved(request, _("Your name is saved."))


@require_POST
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    form = PreferencesForm(request.POST, instance=_person(request))
    if not form.is_valid():
        return _page(request, preferences_form=form, status=422)
    person = form.save()
    with override(person.language):
        response = _saved(request, _("Language and appearance are saved."))
    choices.remember(response, django_settings.LANGUAGE_COOKIE_NAME, person.language)
    choices.remember(response, appearance.COOKIE, person.appearance)
    return response


@sensitive_post_parameters("password")
@require_POST
@login_required
def email(request: HttpRequest) -> HttpResponse:
    """Change the address at once. Where addresses are verified, allauth's page does it instead."""
    if settings_page.addresses_are_verified():
        return redirect("account_email")
    form = EmailForm(_person(request), request.POST)
    if not form.is_valid():
        return _page(request, email_form=form, status=422)
    before = _person(request).email or ""
    _change_email(_person(request), form.cleaned_data["email"])
    security.tell(request, _person(request), "email_changed", address=before)
    return _saved(request, _("Your e-mail address is changed. Sign in with it from now on."))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows a button: a link scanner or a preview that follows the link must not spend it."""
    now = timezone.now()
    if request.method != "POST":
        valid = sign_in_links.is_valid(token, now)
        return render(request, "accounts/sign_in.html", {"is_valid": valid}, status=200 if valid else 410)
    user = sign_in_links.use(token, now)
    if user is None:
        return render(request, "accounts/sign_in.html", {"is_valid": False}, status=410)
    login(request, user, backend=BACKEND)
    messages.info(request, _("You are signed in. Now give the account an address and a password to come back with."))
    response = redirect("accounts:settings")
    security.signed_in(request, response, user)
    return response


def _page(request: HttpRequest, status: int = 200, **forms: BaseForm) -> HttpResponse:
    context = {**settings_page.context(request, _person(request)), **forms}
    return render(request, "accounts/settings.html", context, status=status)


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _saved(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("accounts:settings")


@transaction.atomic
def _change_email(user: User, address: str) -> None:
    user.email = address
    user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=address, primary=True, verified=False)
