"""Allowances that an operator gives by hand."""

from __future__ import annotations

from django.contrib import admin

from gptbuilder.usage.models import Allowance


@admin.register(Allowance)
class AllowanceAdmin(admin.ModelAdmin):
    list_display = ("workspace", "kind", "amount", "starts_at", "ends_at", "source")
    autocomplete_fields = ("workspace",)
