from django.apps import AppConfig


class GptsConfig(AppConfig):
    name = "gptbuilder.gpts"
    label = "gpts"
