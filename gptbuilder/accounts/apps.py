from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gptbuilder.accounts"
    label = "accounts"
