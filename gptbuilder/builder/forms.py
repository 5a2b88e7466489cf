"""The fields of the Configure form. Each may be sent alone: the form saves itself field by field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from gptbuilder.gpts.models import GPT, Configuration, Draft
from gptbuilder.providers import entries

TOO_LONG = _("At most %(limit_value)d characters, this has %(show_value)d.")


def _text(length: int) -> forms.CharField:
    return forms.CharField(required=False, validators=[MaxLengthValidator(length, TOO_LONG)])


class StartersField(forms.Field):
    """Repeated values as a list; empty ones do not count."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        starters = [text.strip() for text in value or [] if text.strip()]
        if len(starters) > Configuration.STARTERS_MOST:
            raise forms.ValidationError(_("At most %(most)d starters.") % {"most": Configuration.STARTERS_MOST})
        for text in starters:
            MaxLengthValidator(Configuration.STARTER_LENGTH, TOO_LONG)(text)
        return starters


class DraftForm(forms.Form):
    """Only the fields that were sent; `values()` is what `drafts.apply` takes."""

    name = _text(Configuration.NAME_LENGTH)
    description = _text(Configuration.DESCRIPTION_LENGTH)
    instructions = _text(Configuration.INSTRUCTIONS_LENGTH)
    starters = StartersField(required=False)
    model = forms.CharField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        for field in set(self.fields) - set(data):
            del self.fields[field]

    def clean_model(self) -> str:
        """A model that may be chosen now, or none."""
        name: str = self.cleaned_data["model"]
        if name and name not in {offer.entry.name for offer in entries.offers()}:
            raise forms.ValidationError(_("This model is no longer offered here. Choose another one."))
        return name

    def values(self) -> dict[str, Any]:
        """The sent fields that are as they should be."""
        self.is_valid()
        return self.cleaned_data

    def problems(self) -> dict[str, str]:
        """For each sent field what is wrong with it, or nothing."""
        return {field: " ".join(str(error) for error in self.errors.get(field, [])) for field in self.fields}


class PublicationForm(forms.Form):
    """Who may use what is published. Without an audience it stays as it is."""

    audience = forms.ChoiceField(choices=GPT.Audience, required=False)

    def __init__(self, data: QueryDict, draft: Draft) -> None:
        super().__init__(data)
        self.draft = draft

    def clean(self) -> dict[str, Any]:
        if not self.draft.name:
            raise forms.ValidationError(_("Give it a name first. It is what others see."))
        return self.cleaned_data


class AudienceForm(forms.Form):
    audience = forms.ChoiceField(choices=GPT.Audience)
