"""allauth's addresses, with some in our own hands.

Its pattern for a new password knows no underscore, and our ids have one; its overviews are parts of our settings page;
and a form of ours must not end at another origin.
"""

from allauth.account import views
from django.urls import include, path, re_path

from gptbuilder.accounts import security_views

urlpatterns = [
    re_path(
        r"^password/reset/key/(?P<uidb36>user_[0-9a-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("two-step/", security_views.settings_of_two_step, name="mfa_index"),
    path("two-step/webauthn/", security_views.settings_of_passkeys, name="mfa_list_webauthn"),
    path("connections/", security_views.connections, name="socialaccount_connections"),
    path("oidc/<str:provider_id>/login/", security_views.openid_connect_login, name="openid_connect_login"),
    path("", include("allauth.account.urls")),
    path("two-step/", include("allauth.mfa.urls")),
    path("connections/", include("allauth.socialaccount.urls")),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
]
