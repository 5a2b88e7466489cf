"""Addresses of accounts beside allauth's. The project includes them at the root."""

from django.urls import path

from gptbuilder.accounts import views

app_name = "accounts"
urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/profile/", views.profile, name="profile"),
    path("settings/preferences/", views.preferences, name="preferences"),
    path("settings/email/", views.email, name="email"),
    path("sign-in/<str:token>/", views.sign_in, name="sign_in"),
]
