"""Runs for operators: states, times, tokens. What people said is not shown."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from gptbuilder.conversations.models.feedback import Feedback
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


@admin.register(Feedback)
class FeedbackAdmin(admin.ModelAdmin):
    """What people think of answers, with counts. Their words were written for the operator; the answer was not."""

    list_display = ("updated_at", "rating", "reason", "words", "gpt", "answered_by")
    list_filter = ("rating", "reason", "message__run__model")
    list_select_related = ("message__run__version",)
    show_facets = admin.ShowFacets.ALWAYS
    date_hierarchy = "updated_at"
    fields = ("rating", "reason", "words", "gpt", "answered_by", "created_at", "updated_at")
    readonly_fields = fields

    def gpt(self, feedback: Feedback) -> str:
        run = feedback.message.run
        return run.version.name if run and run.version else ""

    def answered_by(self, feedback: Feedback) -> str:
        return feedback.message.run.model if feedback.message.run else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Feedback | None = None) -> bool:
        return False
