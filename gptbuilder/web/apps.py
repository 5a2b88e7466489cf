from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "gptbuilder.web"
    label = "web"
