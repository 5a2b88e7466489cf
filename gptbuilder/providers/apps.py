from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "gptbuilder.providers"
    label = "providers"
