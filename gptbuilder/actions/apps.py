from django.apps import AppConfig


class ActionsConfig(AppConfig):
    name = "gptbuilder.actions"
    label = "actions"
