"""Settings of the identity provider of the tests. FOLDER holds its database and key."""

import os
from pathlib import Path

FOLDER = Path(os.environ["IDENTITY_PROVIDER_FOLDER"])
SECRET_KEY = "only for tests, in a process of its own"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.identity_provider.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "people.sqlite3"}}
SESSION_COOKIE_NAME = "identity_provider"
LOGIN_URL = "/sign-in/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": (FOLDER / "key.pem").read_text(),
    "OAUTH2_VALIDATOR_CLASS": "tests.identity_provider.people.Validator",
    "SCOPES": {"openid": "who you are", "profile": "your name", "email": "your address"},
    "PKCE_REQUIRED": True,
    "REQUEST_APPROVAL_PROMPT": "auto",
}
