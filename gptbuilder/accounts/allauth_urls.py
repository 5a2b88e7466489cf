"""allauth's addresses, with one corrected: its pattern for a new password knows no underscore, and our ids have one."""

from allauth.account import views
from django.urls import include, path, re_path

urlpatterns = [
    re_path(
        r"^password/reset/key/(?P<uidb36>user_[0-9a-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("", include("allauth.account.urls")),
]
