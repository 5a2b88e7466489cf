from django.apps import AppConfig


class BuilderConfig(AppConfig):
    name = "gptbuilder.builder"
    label = "builder"
