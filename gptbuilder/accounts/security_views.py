"""Sessions, notifications, and going to an identity provider."""

from __future__ import annotations

from urllib.parse import urlsplit

from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.socialaccount.views import connections as allauth_connections
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from gptbuilder.accounts import devices, identity, notifications
from gptbuilder.accounts.requests import MemberRequest


@require_POST
@login_required
def end_session(request: MemberRequest, pk: int) -> HttpResponse:
    if not devices.end(request.user, pk):
        raise Http404
    messages.success(request, _("The session is ended."))
    return redirect("/settings/#sessions")


@require_POST
@login_required
def end_other_sessions(request: MemberRequest) -> HttpResponse:
    number = devices.end_others(request.user, request.session.session_key)
    sentence = ngettext("%(number)d other session is ended.", "%(number)d other sessions are ended.", number)
    messages.success(request, sentence % {"number": number})
    return redirect("/settings/#sessions")


@require_POST
@login_required
def notification(request: MemberRequest, kind: str) -> HttpResponse:
    """One switch: it takes effect at once."""
    try:
        notifications.choose(request.user, kind, by_email="by_email" in request.POST)
    except KeyError:
        raise Http404 from None
    return HttpResponse(status=204)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button, POST acts. No cookie is asked for: mail programs send the POST (RFC 8058)."""
    found = notifications.read_unsubscribe_token(token)
    if found is None:
        return render(request, "accounts/link_is_over.html", status=410)
    person, kind = found
    if request.method == "POST":
        notifications.choose(person, kind.name, by_email=request.POST.get("again") == "1")
    is_on = notifications.wants(person, kind)
    return render(request, "accounts/unsubscribe.html", {"kind": kind, "is_on": is_on, "token": token})


def settings_of_two_step(request: HttpRequest) -> HttpResponse:
    """allauth's overview of keys is a part of our settings page."""
    return redirect("/settings/#two-step")


def settings_of_passkeys(request: HttpRequest) -> HttpResponse:
    return redirect("/settings/#passkeys")


def connections(request: HttpRequest) -> HttpResponse:
    """allauth disconnects; what there is to see stands in our settings page."""
    if request.method != "POST":
        return redirect("/settings/#connections")
    response: HttpResponse = allauth_connections(request)
    return response


@never_cache
def openid_connect_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """allauth's answer is a redirect to the provider. A form may not end there (`form-action 'self'`), so the answer
    is a page of ours with a link and a script that follows it."""
    name = next((one["name"] for one in identity.providers() if one["id"] == provider_id), None)
    if name is None:
        raise Http404
    try:
        response: HttpResponse = openid_connect.login(request, provider_id)
    except (OSError, KeyError):
        return render(request, "socialaccount/unreachable.html", {"name": name}, status=502)
    address = response.headers.get("Location", "")
    if urlsplit(address).scheme not in ("http", "https"):
        return response
    return render(request, "socialaccount/leaving.html", {"address": address, "name": name})
