"""Addresses of conversations. The project includes them at the root."""

from django.urls import path

from gptbuilder.conversations import events, views

app_name = "conversations"
urlpatterns = [
    path("", views.home, name="home"),
    path("c/", views.new, name="new"),
    path("c/<str:thread_id>/", views.thread, name="thread"),
    path("c/<str:thread_id>/messages/", views.messages, name="messages"),
    path("c/<str:thread_id>/regeneration/", views.regeneration, name="regeneration"),
    path("c/<str:thread_id>/title/", views.title, name="title"),
    path("c/<str:thread_id>/older/", views.older, name="older"),
    path("runs/<str:run_id>/events", events.events, name="events"),
    path("runs/<str:run_id>/cancellation/", views.cancellation, name="cancellation"),
    path("runs/<str:run_id>/answer/", views.answer, name="answer"),
    path("gpts/<str:gpt_id>/chat/", views.gpt, name="gpt"),
    path("gpts/<str:gpt_id>/chats/", views.start, name="start"),
    path("g/<str:token>/", views.link, name="link"),
    path("g/<str:token>/chats/", views.link_start, name="link_start"),
]
