from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "gptbuilder.usage"
    label = "usage"
