"""The page that greets an administrator: the list of first steps. For administrators only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.accounts.staff import staff_only
from gptbuilder.providers import getting_ready
from gptbuilder.providers.getting_ready import MailFailed


@never_cache
@require_safe
@staff_only
def ready(request: MemberRequest) -> HttpResponse:
    """What to do first, and what is done."""
    checklist = getting_ready.checklist()
    steps = getting_ready.steps(request.user, checklist)
    open_steps = sum(not step.is_done for step in steps)
    context = {"here": "ready", "checklist": checklist, "steps": steps, "open_steps": open_steps}
    return render(request, "providers/ready.html", context)


@require_POST
@staff_only
def test_mail(request: MemberRequest) -> HttpResponse:
    """Send the administrator who asks a mail."""
    if not request.user.email:
        messages.error(request, _("Your account has no e-mail address yet. Give it one in the settings."))
    else:
        try:
            getting_ready.send_test_mail(request.user)
            messages.success(request, _("Sent to %(email)s. Look into your inbox.") % {"email": request.user.email})
        except MailFailed as failure:
            messages.error(request, str(failure))
    return redirect("providers:ready")


@require_http_methods(["POST", "DELETE"])
@staff_only
def dismissal(request: HttpRequest) -> HttpResponse:
    """POST: put the list away, or with `show` bring it back. DELETE: bring it back."""
    getting_ready.dismiss(is_dismissed=request.method == "POST" and "show" not in request.POST)
    return redirect("providers:ready")
