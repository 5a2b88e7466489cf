from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "gptbuilder.knowledge"
    label = "knowledge"
