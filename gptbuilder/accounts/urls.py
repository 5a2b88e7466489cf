"""Addresses of accounts beside allauth's. The project includes them at the root."""

from django.urls import path

from gptbuilder.accounts import data_views, security_views, views

app_name = "accounts"
urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/profile/", views.profile, name="profile"),
    path("settings/preferences/", views.preferences, name="preferences"),
    path("settings/email/", views.email, name="email"),
    path("settings/sessions/end-others/", security_views.end_other_sessions, name="end_other_sessions"),
    path("settings/sessions/<int:pk>/end/", security_views.end_session, name="end_session"),
    path("settings/notifications/<slug:kind>/", security_views.notification, name="notification"),
    path("settings/data/", data_views.export_status, name="export_status"),
    path("settings/data/export/", data_views.export, name="export"),
    path("settings/data/<str:export_id>/", data_views.download, name="download"),
    path("settings/delete/", data_views.delete, name="delete"),
    path("settings/delete/<str:token>/", data_views.confirm_delete, name="confirm_delete"),
    path("reopen/<str:token>/", data_views.reopen, name="reopen"),
    path("unsubscribe/<str:token>/", security_views.unsubscribe, name="unsubscribe"),
    path("sign-in/<str:token>/", views.sign_in, name="sign_in"),
]
