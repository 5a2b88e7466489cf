"""Runs for operators: states, times, tokens. What people said is not shown."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from gptbuilder.conversations.models.run import Run


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):
    list_display = ("id", "status", "attempt", "model", "input_tokens", "output_tokens", "error_code", "created_at")
    list_filter = ("status", "error_code")
    search_fields = ("id", "thread__id")
    fields = (
        "id", "thread_id", "version", "status", "attempt", "model", "input_tokens", "output_tokens",
        "error_code", "error_detail", "created_at", "started_at", "first_token_at", "heartbeat_at", "finished_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False
