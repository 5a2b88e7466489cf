"""Addresses of operation. The project includes them at the root."""

from django.urls import path

from gptbuilder.operation import metrics, views

app_name = "operation"
urlpatterns = [
    path("metrics", metrics.metrics, name="metrics"),
    path("administration/operation/", views.operation, name="operation"),
]
