"""Addresses of the builder. The project includes them at the root."""

from django.urls import path

from gptbuilder.builder import configure, sharing, views

app_name = "builder"
urlpatterns = [
    path("gpts/", views.gpts, name="gpts"),
    path("gpts/new/", views.new, name="new"),
    path("gpts/<str:gpt_id>/edit/", views.create, name="create"),
    path("gpts/<str:gpt_id>/edit/conversation/", views.conversation, name="conversation"),
    path("gpts/<str:gpt_id>/edit/messages/", views.messages, name="messages"),
    path("gpts/<str:gpt_id>/edit/configure/", configure.configure, name="configure"),
    path("gpts/<str:gpt_id>/draft/", configure.draft, name="draft"),
    path("gpts/<str:gpt_id>/picture/", configure.picture, name="picture"),
    path("gpts/<str:gpt_id>/preview/", views.preview, name="preview"),
    path("gpts/<str:gpt_id>/preview/conversation/", views.preview_conversation, name="preview_conversation"),
    path("gpts/<str:gpt_id>/preview/messages/", views.preview_messages, name="preview_messages"),
    path("gpts/<str:gpt_id>/preview/reset/", views.preview_reset, name="preview_reset"),
    path("gpts/<str:gpt_id>/publication/", sharing.publication, name="publication"),
    path("gpts/<str:gpt_id>/audience/", sharing.audience, name="audience"),
    path("gpts/<str:gpt_id>/link/", sharing.link, name="link"),
    path("gpts/<str:gpt_id>/versions/", sharing.history, name="versions"),
    path("gpts/<str:gpt_id>/versions/<str:version_id>/restoration/", sharing.restoration, name="restoration"),
]
