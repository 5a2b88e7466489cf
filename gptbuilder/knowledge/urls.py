"""Addresses of uploads."""

from django.urls import path

from gptbuilder.knowledge import views

app_name = "knowledge"
urlpatterns = [
    path("files/uploads/", views.announced, name="uploads"),
    path("files/uploads/<str:upload_id>/", views.upload, name="upload"),
]
