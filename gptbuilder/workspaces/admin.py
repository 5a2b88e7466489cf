"""Workspaces and their members for operators."""

from __future__ import annotations

from django.contrib import admin

from gptbuilder.workspaces.models import Membership, Workspace


class MembershipInline(admin.TabularInline):
    model = Membership
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ("name", "personal_of", "created_at")
    search_fields = ("name", "personal_of__email")
    readonly_fields = ("personal_of",)
    inlines = (MembershipInline,)
