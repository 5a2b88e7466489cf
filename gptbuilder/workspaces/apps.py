from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "gptbuilder.workspaces"
    label = "workspaces"
