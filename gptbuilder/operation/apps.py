from django.apps import AppConfig


class OperationConfig(AppConfig):
    name = "gptbuilder.operation"
    label = "operation"
