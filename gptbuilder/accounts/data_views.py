"""My data: a copy of it, and deleting the account."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts import closing, exports, settings_page
from gptbuilder.accounts.models import DataExport
from gptbuilder.accounts.notifications import notify
from gptbuilder.accounts.requests import MemberRequest


@require_POST
@login_required
def export(request: MemberRequest) -> HttpResponse:
    """Begin a copy of everything that is mine."""
    try:
        exports.request(request.user, timezone.now())
    except exports.ExportRefused as refused:
        messages.error(request, str(refused))
    return redirect("/settings/#data")


@never_cache
@require_safe
@login_required
def export_status(request: MemberRequest) -> HttpResponse:
    """How far the copy is, for the page that asks again while it is made."""
    return render(request, "accounts/_export.html", {"export": settings_page.latest_export(request.user)})


@never_cache
@require_safe
@login_required
def download(request: MemberRequest, export_id: str) -> FileResponse:
    ready = DataExport.objects.of(request.user).ready(timezone.now())
    found = get_object_or_404(ready, pk=export_id)
    name = f"my-data-{found.created_at:%Y-%m-%d}.zip"
    return FileResponse(found.file.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
def delete(request: MemberRequest) -> HttpResponse:
    """Asks for the password or a passkey first; who has neither is sent a link to confirm with."""
    if request.method != "POST":
        return render(request, "accounts/delete.html", {"by_mail": not get_reauthentication_flows(request.user)})
    if not get_reauthentication_flows(request.user):
        notify(request.user, "confirm_closing")
        return render(request, "accounts/delete.html", {"is_sent": True})
    return _close(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def confirm_delete(request: MemberRequest, token: str) -> HttpResponse:
    if not closing.confirms(token, request.user):
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method != "POST":
        return render(request, "accounts/delete.html")
    return _close(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reopen(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows a button: a scanner that follows the link must not open an account."""
    now = timezone.now()
    if closing.read_reopen_token(token, now) is None:
        return render(request, "accounts/link_is_over.html", status=410)
    if request.method != "POST":
        return render(request, "accounts/reopen.html")
    if closing.reopen(token, now) is None:
        return render(request, "accounts/link_is_over.html", status=410)
    messages.success(request, _("Welcome back. Your account is open again; sign in."))
    return redirect("account_login")


def _close(request: MemberRequest) -> HttpResponse:
    try:
        person = closing.close(request.user, request)
    except closing.ClosingRefused as refused:
        return render(request, "accounts/delete.html", {"obstacles": refused.sentences}, status=422)
    logout(request)
    context = {"due": person.deletion_due_at, "token": closing.reopen_token(person)}
    return render(request, "accounts/closed.html", context)
