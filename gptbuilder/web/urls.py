"""Addresses of web. The project includes them at the root."""

from django.urls import path

from gptbuilder.web import health, views

app_name = "web"
urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("language/", views.language, name="language"),
    path("appearance/", views.appearance, name="appearance"),
    path("model-status/", views.model_status, name="model_status"),
    path("connect-a-model/", views.connect_a_model, name="connect_a_model"),
]
