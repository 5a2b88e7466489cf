"""Addresses of the administration. The project includes them under /administration/."""

from django.urls import path

from gptbuilder.providers import readiness, views

app_name = "providers"
urlpatterns = [
    path("", readiness.ready, name="ready"),
    path("test-mail/", readiness.test_mail, name="test_mail"),
    path("dismissal/", readiness.dismissal, name="dismissal"),
    path("models/", views.models, name="models"),
    path("models/new/", views.new, name="new"),
    path("models/<str:provider_id>/", views.provider, name="provider"),
    path("models/<str:provider_id>/default/", views.default, name="default"),
    path("models/<str:provider_id>/deletion/", views.deletion, name="deletion"),
    path("models/<str:provider_id>/restoration/", views.restoration, name="restoration"),
    path("models/<str:provider_id>/checks/", views.checks, name="checks"),
    path("models/<str:provider_id>/models/", views.added_models, name="added_models"),
    path("models/<str:provider_id>/models/<int:model_id>/", views.model, name="model"),
    path("models/<str:provider_id>/models/<int:model_id>/default/", views.default_model, name="default_model"),
    path("models/<str:provider_id>/models/<int:model_id>/removal/", views.model_removal, name="model_removal"),
]
