"""GPTs for operators. What people wrote is shown; versions cannot be changed here either."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from gptbuilder.gpts.models import GPT, Draft, GPTVersion


class DraftInline(admin.StackedInline):
    model = Draft
    readonly_fields = ("revision", "picture")
    can_delete = False


@admin.register(GPT)
class GPTAdmin(admin.ModelAdmin):
    list_display = ("draft_name", "owner", "audience", "builtin", "updated_at")
    list_filter = ("audience", "builtin")
    list_select_related = ("draft", "owner")
    search_fields = ("id", "draft__name", "owner__email")
    readonly_fields = ("owner", "workspace", "live_version", "link_token", "builtin")
    inlines = (DraftInline,)

    @admin.display(description="name", ordering="draft__name")
    def draft_name(self, gpt: GPT) -> str:
        return str(gpt.draft)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(GPTVersion)
class GPTVersionAdmin(admin.ModelAdmin):
    list_display = ("name", "number", "gpt", "published_at", "published_by")
    search_fields = ("name", "gpt__id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: GPTVersion | None = None) -> bool:
        return False
