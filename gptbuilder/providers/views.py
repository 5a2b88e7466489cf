"""The administration's pages about models: providers, their models, testing a connection. For administrators only."""

from __future__ import annotations

import json
import logging

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gptbuilder.accounts.requests import MemberRequest
from gptbuilder.accounts.staff import staff_only
from gptbuilder.providers import checking, editing, pages
from gptbuilder.providers.forms import ProviderForm, ProviderModelForm
from gptbuilder.providers.models import Provider, ProviderModel

log = logging.getLogger(__name__)


@never_cache
@require_safe
@staff_only
def models(request: HttpRequest) -> HttpResponse:
    """Every provider, the environment's model, and what was deleted lately."""
    return render(request, "providers/models.html", {"here": "models", **pages.listing()})


@sensitive_post_parameters("key")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def new(request: MemberRequest) -> HttpResponse:
    """A new provider; saving it asks at once which models it has."""
    form = ProviderForm(request.POST or None, instance=Provider())
    if request.method == "POST" and form.is_valid():
        editing.save(form.save(commit=False))
        _note(request, "added", form.instance)
        checking.start(form.instance, "", timezone.now())
        return redirect("providers:provider", form.instance.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "providers/new.html", {"here": "models", "form": form}, status=status)


@sensitive_post_parameters("key")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def provider(request: MemberRequest, provider_id: str) -> HttpResponse:
    """One provider: its form, its models, the last test."""
    found = pages.present(provider_id)
    form = ProviderForm(request.POST, instance=found) if request.method == "POST" else None
    if form and form.is_valid():
        editing.save(form.save(commit=False))
        _note(request, "changed", found)
        messages.success(request, _("Saved. It is in force everywhere within five seconds."))
        return redirect("providers:provider", provider_id)
    if form:
        # What was refused must not show in the rest of the page.
        return _page(request, pages.present(provider_id), form=form, status=422)
    return _page(request, found)


@require_POST
@staff_only
def default(request: MemberRequest, provider_id: str) -> HttpResponse:
    """Let this provider's models come first."""
    found = pages.present(provider_id)
    editing.make_default(found)
    _note(request, "made the default", found)
    messages.success(request, _("%(name)s answers from now on when a GPT recommends nothing else.") % {"name": found})
    return redirect("providers:models")


@require_POST
@staff_only
def deletion(request: MemberRequest, provider_id: str) -> HttpResponse:
    """Take it out of use; it can be brought back for a day."""
    found = pages.present(provider_id)
    editing.delete(found, timezone.now())
    _note(request, "deleted", found)
    undo = {"method": "POST", "url": reverse("providers:restoration", args=[found.pk]), "target": "#main"}
    return _to_models(request, _("%(name)s is deleted.") % {"name": found}, undo=undo)


@require_POST
@staff_only
def restoration(request: MemberRequest, provider_id: str) -> HttpResponse:
    """Undo a deletion."""
    found = get_object_or_404(Provider.objects.deleted(timezone.now()), pk=provider_id)
    editing.restore(found)
    _note(request, "brought back", found)
    return _to_models(request, _("%(name)s is back.") % {"name": found})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def checks(request: MemberRequest, provider_id: str) -> HttpResponse:
    """POST: test the connection with one model. GET: how far the last test is, for the page that asks again."""
    found = None if provider_id == pages.ENVIRONMENT else pages.present(provider_id)
    if request.method == "POST":
        name = pages.model_to_test(found, request) if found else pages.environment_model().name
        checking.start(found, name, timezone.now())
    if not request.htmx:
        return redirect("providers:provider", found.pk) if found else redirect("providers:models")
    if found is None:
        return render(request, "providers/_check.html", {"pane": pages.pane(None)})
    return render(request, "providers/_checked.html", pages.checked(found))


@require_POST
@staff_only
def added_models(request: MemberRequest, provider_id: str) -> HttpResponse:
    """Take over models that were found, or one whose name was typed; the first is tested at once."""
    found = pages.present(provider_id)
    added = editing.add_models(found, [*request.POST.getlist("found"), request.POST.get("name", "")])
    if added:
        checking.start(found, added[0].name, timezone.now())
        _note(request, "given models", found)
    else:
        messages.error(request, _("Tick a model, or type the name of one that is not in the list yet."))
    return redirect("providers:provider", provider_id)


@require_POST
@staff_only
def model(request: MemberRequest, provider_id: str, model_id: int) -> HttpResponse:
    """Change what is known of one model."""
    found = _model(provider_id, model_id)
    form = ProviderModelForm(request.POST, instance=found)
    if not form.is_valid():
        return _page(request, pages.present(provider_id), changed=form, status=422)
    editing.save(form.save(commit=False))
    messages.success(request, _("%(name)s is saved.") % {"name": found})
    return redirect("providers:provider", provider_id)


@require_POST
@staff_only
def default_model(request: MemberRequest, provider_id: str, model_id: int) -> HttpResponse:
    """Let this provider answer with this model when nothing else is said."""
    editing.make_default_model(_model(provider_id, model_id))
    return redirect("providers:provider", provider_id)


@require_POST
@staff_only
def model_removal(request: MemberRequest, provider_id: str, model_id: int) -> HttpResponse:
    """Take a model out of the list. GPTs that recommend it use the default."""
    found = _model(provider_id, model_id)
    editing.remove_model(found)
    messages.success(request, _("%(name)s is no longer offered here.") % {"name": found})
    return redirect("providers:provider", provider_id)


def _page(request: HttpRequest, found: Provider, status: int = 200, **more: object) -> HttpResponse:
    form = more.pop("form", None)
    context = pages.page(found, form if isinstance(form, ProviderForm) else None, **more)
    return render(request, "providers/provider.html", {"here": "models", **context}, status=status)


def _to_models(request: MemberRequest, sentence: str, **more: object) -> HttpResponse:
    """The list, with news at the corner; htmx is told to fetch its main part, so that the news stays."""
    if not request.htmx:
        messages.success(request, sentence)
        return redirect("providers:models")
    place = {"path": reverse("providers:models"), "target": "#main", "select": "#main", "swap": "outerHTML"}
    news = {"text": sentence, "kind": "positive", **more}
    return HttpResponse(headers={"HX-Location": json.dumps(place), "HX-Trigger": json.dumps({"toast": news})})


def _model(provider_id: str, model_id: int) -> ProviderModel:
    return get_object_or_404(ProviderModel.objects.filter(provider=pages.present(provider_id)), pk=model_id)


def _note(request: MemberRequest, what: str, found: Provider) -> None:
    log.info("a provider was %s", what, extra={"provider": found.pk, "person": request.user.pk})
