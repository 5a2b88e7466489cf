from django.apps import AppConfig


class ToolsConfig(AppConfig):
    name = "gptbuilder.tools"
    label = "tools"
