"""People in the administration. Sign-in links are not shown: they are keys."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.utils.translation import gettext_lazy as _

from gptbuilder.accounts.models import User


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = UserCreationForm
    ordering = ("-date_joined",)
    list_display = ["__str__", "email", "kind", "is_staff", "is_active", "date_joined", "last_seen_at"]
    list_filter = ["kind", "is_staff", "is_superuser", "is_active"]
    search_fields = ["email", "name", "id"]
    readonly_fields = ["id", "kind", "date_joined", "last_login", "last_seen_at"]
    fieldsets = (
        (None, {"fields": ["id", "kind", "email", "password", "name"]}),
        (_("Preferences"), {"fields": ["language", "appearance"]}),
        (_("Permissions"), {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        (_("Dates"), {"fields": ["date_joined", "last_login", "last_seen_at"]}),
    )
    add_fieldsets = ((None, {"classes": ["wide"], "fields": ["email", "usable_password", "password1", "password2"]}),)
