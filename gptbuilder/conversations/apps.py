from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "gptbuilder.conversations"
    label = "conversations"
