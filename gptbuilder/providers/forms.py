"""The forms of the administration's pages about models."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from gptbuilder.lib.sealing import SealingError
from gptbuilder.providers.models import Provider, ProviderModel

CHAT_PATH = "/chat/completions"
KEY_LENGTH = 4000
MICROS = 1_000_000


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    """An endpoint. Its key goes in and never comes out: an empty field keeps the one that is there.

    A kept key goes to the server it was entered for and to no other: whoever may edit the address could
    otherwise have it sent to a server of their own.
    """

    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=KEY_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    drops_key = forms.BooleanField(label=_("This endpoint needs no key: forget the one that is kept"), required=False)

    class Meta:
        model = Provider
        fields = ["name", "base_url", "is_enabled", "first_token_timeout_seconds", "idle_timeout_seconds"]
        help_texts = {
            "base_url": _("Up to before /chat/completions, such as https://api.openai.com/v1"),
            "first_token_timeout_seconds": _("In seconds. A slow machine that reads much needs more."),
            "idle_timeout_seconds": _("In seconds."),
        }
        widgets = {
            "base_url": forms.URLInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept_origin = _origin(self.instance.base_url) if self.instance.has_key else None
        if self.instance.has_key:
            self.fields["key"].help_text = _("A key is kept. Leave this empty to keep it.")
        else:
            del self.fields["drops_key"]
            self.fields["key"].help_text = _("Kept sealed, shown to nobody again. Leave this empty if none is needed.")

    def clean_base_url(self) -> str:
        address: str = self.cleaned_data["base_url"].strip().rstrip("/").removesuffix(CHAT_PATH).rstrip("/")
        try:
            parts = urlsplit(address)
            host, _port = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host or any(letter.isspace() for letter in address):
            raise forms.ValidationError(_("This is not an address. It begins with https:// or http://."))
        if parts.username is not None or parts.password is not None:
            raise forms.ValidationError(_("Leave name and password out of the address: the key has its own field."))
        if parts.query or parts.fragment:
            raise forms.ValidationError(_("Leave out what follows ? or # in the address."))
        return address

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"].strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise forms.ValidationError(_("A key holds letters, digits and signs, without spaces. Copy it again."))
        return key

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        address, key = values.get("base_url"), values.get("key")
        stays = self.kept_origin and not key and not values.get("drops_key")
        if stays and address and _origin(address) != self.kept_origin:
            self.add_error("key", _("Enter the key again: the address leads to another server now."))
        if key:
            try:
                self.instance.seal_key(key)
            except SealingError:
                self.add_error("key", _("This server cannot keep a key: FIELD_KEYS is not set, or wrong."))
        elif values.get("drops_key"):
            self.instance.seal_key("")
        return values


class ProviderModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A model's sizes, prices and abilities. Prices are typed in whole units of the operator's currency."""

    input_price = forms.DecimalField(
        label=_("Price of a million tokens read"), min_value=0, max_digits=12, decimal_places=6
    )
    output_price = forms.DecimalField(
        label=_("Price of a million tokens written"), min_value=0, max_digits=12, decimal_places=6
    )

    class Meta:
        model = ProviderModel
        fields = ["label", "context_window", "max_output_tokens", "tools", "json_schema", "vision", "is_enabled"]
        help_texts = {
            "context_window": _("Tokens of question and answer together."),
            "max_output_tokens": _("In tokens."),
        }

    def __init__(self, data: Any = None, *, instance: ProviderModel) -> None:
        prices = {
            "input_price": _plain(instance.input_price_micros),
            "output_price": _plain(instance.output_price_micros),
        }
        super().__init__(data, instance=instance, initial=prices, auto_id=f"model-{instance.pk}-%s")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for field in ("input_price", "output_price"):
            if values.get(field) is not None:
                setattr(self.instance, f"{field}_micros", int(values[field] * MICROS))
        return values


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def _plain(micros: int) -> str:
    """1500000 as "1.5"."""
    return f"{(Decimal(micros) / MICROS).normalize():f}"
