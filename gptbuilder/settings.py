"""Every setting of the project, read from the environment. docs/reference/settings.md lists them."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from gptbuilder.environment import allow_list, broker, database, env, env_bool, env_int, env_list, oidc_providers

BASE_DIR = Path(__file__).resolve().parent.parent


# Where data lives when no service is given: the supervisor exports these paths.
HOME = Path(env("GPTBUILDER_HOME") or BASE_DIR / "var")
PRODUCTION = env_bool("PRODUCTION", default=False)
DEBUG = env_bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured("Set SECRET_KEY to a long random text.")
    # Commands that keep nothing run without one.
    SECRET_KEY = get_random_secret_key()
FIELD_KEYS = env_list("FIELD_KEYS")
# What `manage.py rotate_field_keys` seals anew: app.Model.field, and what its texts are bound to; "" is the row itself.
SEALED_FIELDS = {
    "providers.Provider.sealed_key": "",
    "knowledge.Content.sealed_password": "",
    "knowledge.EmbeddingIndex.sealed_key": "",
    "mfa.Authenticator.data": "two-step",
}
BASE_URL = env("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "*" if not PRODUCTION else urlsplit(BASE_URL).hostname or "")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", BASE_URL)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "gptbuilder.web",
    "gptbuilder.accounts",
    "gptbuilder.workspaces",
    "gptbuilder.usage",
    "gptbuilder.providers",
    "gptbuilder.actions",
    "gptbuilder.knowledge",
    "gptbuilder.gpts",
    "gptbuilder.tools",
    "gptbuilder.conversations",
    "gptbuilder.builder",
    "gptbuilder.operation",
]
MIDDLEWARE = [
    "gptbuilder.web.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "gptbuilder.accounts.devices.SessionMiddleware",
    "gptbuilder.conversations.guests.GuestMiddleware",
]
ROOT_URLCONF = "gptbuilder.urls"
ASGI_APPLICATION = "gptbuilder.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gptbuilder.web.context.site",
                "gptbuilder.accounts.context.sign_in_ways",
                "gptbuilder.providers.context.model_notice",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "gptbuilder.web.templatetags.web"],
        },
    }
]


DATABASES = {"default": database(env("DATABASE_URL") or "postgres://postgres@127.0.0.1/gptbuilder")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL") or "redis://127.0.0.1:6379/0"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}

# Celery: the broker carries ids only. Runs recover by their heartbeat, not by the broker.
CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "max_connections": 1000,
    # A task is taken off the queue once. Who was to do it may die either way, and what must happen is found by rows.
    "ack_emulation": False,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "gptbuilder.conversations.tasks.execute_run": {"queue": "runs"},
    "gptbuilder.providers.tasks.check_connection": {"queue": "runs"},
    "gptbuilder.knowledge.tasks.index_content": {"queue": "indexing"},
    "gptbuilder.knowledge.tasks.embed_passages": {"queue": "indexing"},
    "gptbuilder.knowledge.tasks.build_index": {"queue": "indexing"},
    "gptbuilder.knowledge.tasks.look_after_vectors": {"queue": "indexing"},
    "gptbuilder.knowledge.tasks.run_trial": {"queue": "indexing"},
}
CELERY_BEAT_SCHEDULE = {
    "recover silent runs": {
        "task": "gptbuilder.conversations.tasks.recover_runs",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "recover indexing": {
        "task": "gptbuilder.knowledge.tasks.recover_indexing",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "let go of files": {"task": "gptbuilder.knowledge.tasks.let_go", "schedule": 3600.0},
    "look after vectors": {"task": "gptbuilder.knowledge.tasks.look_after_vectors", "schedule": 300.0},
    "purge records of searches": {"task": "gptbuilder.knowledge.tasks.purge_records", "schedule": 3600.0},
    "purge guests": {"task": "gptbuilder.conversations.tasks.purge_guests", "schedule": 3600.0},
    "purge deleted chats": {"task": "gptbuilder.conversations.tasks.purge_chats", "schedule": 3600.0},
    "purge providers": {"task": "gptbuilder.providers.tasks.purge_providers", "schedule": 3600.0},
    "purge attachments": {"task": "gptbuilder.conversations.tasks.purge_attachments", "schedule": 3600.0},
    "prune snapshots": {"task": "gptbuilder.conversations.tasks.prune_snapshots", "schedule": 3600.0},
    "send what waits": {"task": "gptbuilder.accounts.tasks.send_waiting", "schedule": 300.0},
    "look after accounts": {"task": "gptbuilder.accounts.tasks.look_after_accounts", "schedule": 3600.0},
    "purge deleted GPTs": {"task": "gptbuilder.builder.tasks.purge_deleted_gpts", "schedule": 3600.0},
}

# Models: one endpoint from the environment; the supervisor gives the embedded one when none is set.
OPENAI_BASE_URL = env("OPENAI_BASE_URL").rstrip("/")
OPENAI_API_KEY = env("OPENAI_API_KEY")
OPENAI_MODEL = env("OPENAI_MODEL", "gpt-4.1-mini")
LOCAL_MODEL = env_bool("LOCAL_MODEL", default=False)
MODEL_STATUS_FILE = env("MODEL_STATUS_FILE")
MODEL_CONTEXT_WINDOW = env_int("MODEL_CONTEXT_WINDOW", 8192 if LOCAL_MODEL else 128_000)
MODEL_MAX_OUTPUT_TOKENS = env_int("MODEL_MAX_OUTPUT_TOKENS", 1024 if LOCAL_MODEL else 8192)
MODEL_TOOLS = env_bool("MODEL_TOOLS", default=not LOCAL_MODEL)
MODEL_JSON_SCHEMA = env_bool("MODEL_JSON_SCHEMA", default=True)
MODEL_VISION = env_bool("MODEL_VISION", default=False)
MODEL_INPUT_PRICE_MICROS = env_int("MODEL_INPUT_PRICE_MICROS", 0)
MODEL_OUTPUT_PRICE_MICROS = env_int("MODEL_OUTPUT_PRICE_MICROS", 0)
MODEL_FIRST_TOKEN_TIMEOUT_SECONDS = env_int("MODEL_FIRST_TOKEN_TIMEOUT_SECONDS", 600 if LOCAL_MODEL else 120)
MODEL_IDLE_TIMEOUT_SECONDS = env_int("MODEL_IDLE_TIMEOUT_SECONDS", 60)
IMAGE_MODEL = env("IMAGE_MODEL")

# Knowledge: the model that tells what passages mean, and one that puts what was found in order. The supervisor names
# the local embedding model; without any, words alone find.
LOCAL_EMBEDDING_URL = env("LOCAL_EMBEDDING_URL").rstrip("/")
LOCAL_EMBEDDING_API_KEY = env("LOCAL_EMBEDDING_API_KEY")
EMBEDDING_BASE_URL = env("EMBEDDING_BASE_URL").rstrip("/")
EMBEDDING_API_KEY = env("EMBEDDING_API_KEY")
EMBEDDING_MODEL = env("EMBEDDING_MODEL", "text-embedding-3-small")
EMBEDDING_DIMENSIONS = env_int("EMBEDDING_DIMENSIONS", 0)
EMBEDDING_BATCH = env_int("EMBEDDING_BATCH", 64)
RERANK_BASE_URL = env("RERANK_BASE_URL").rstrip("/")
RERANK_API_KEY = env("RERANK_API_KEY")
RERANK_MODEL = env("RERANK_MODEL")
# What a model is given of files: passages of one search, small files, and the share of its window for whole ones.
PASSAGES_TOKENS = env_int("PASSAGES_TOKENS", 4000)
SMALL_FILES_TOKENS = env_int("SMALL_FILES_TOKENS", 2000)
FULL_FILES_PERCENT = env_int("FULL_FILES_PERCENT", 25)
# Files that people add to their own conversations.
CHAT_FILES_PER_HOUR = env_int("CHAT_FILES_PER_HOUR", 100)
CHAT_FILE_MAX_BYTES = env_int("CHAT_FILE_MAX_MB", 100) * 1024 * 1024
GUEST_FILES_PER_HOUR = env_int("GUEST_FILES_PER_HOUR", 10)
GUEST_FILE_MAX_BYTES = env_int("GUEST_FILE_MAX_MB", 10) * 1024 * 1024

# Tool providers of higher layers, by the purpose of the thread they serve.
TOOL_PROVIDERS = {"builder": "gptbuilder.builder.tools.builder_tools"}

# Limits. What money buys arrives as usage.Allowance rows, which raise these.
# How long an answer waits for somebody who is asked something.
CONSENT_WAIT_HOURS = env_int("CONSENT_WAIT_HOURS", 24)
MESSAGES_PER_HOUR = env_int("MESSAGES_PER_HOUR", 200)
GUEST_MESSAGES_PER_HOUR = env_int("GUEST_MESSAGES_PER_HOUR", 20)
GUESTS_PER_ADDRESS_PER_DAY = env_int("GUESTS_PER_ADDRESS_PER_DAY", 20)
GUEST_MESSAGES_PER_GPT_PER_HOUR = env_int("GUEST_MESSAGES_PER_GPT_PER_HOUR", 300)
MESSAGE_MAX_CHARACTERS = env_int("MESSAGE_MAX_CHARACTERS", 32_000)
KNOWLEDGE_FILES_PER_GPT = env_int("KNOWLEDGE_FILES_PER_GPT", 20)
KNOWLEDGE_FILE_MAX_BYTES = env_int("KNOWLEDGE_FILE_MAX_MB", 512) * 1024 * 1024
KNOWLEDGE_PERSON_MAX_BYTES = env_int("KNOWLEDGE_PERSON_MAX_MB", 10 * 1024) * 1024 * 1024
GUEST_DAYS = 30
DELETED_CHAT_DAYS = 30

# Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "gptbuilder.accounts.backends.AdminBackend",
    "gptbuilder.accounts.backends.PageBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if env_bool("EMAIL_VERIFICATION", default=False) else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key", "signup": "20/m/ip"}
ACCOUNT_ADAPTER = "gptbuilder.accounts.adapter.AccountAdapter"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_FORMS = {"signup": "gptbuilder.accounts.forms.SignupForm"}
# Two-step sign-in and passkeys. An address that nobody verifies cannot be asked for.
MFA_ADAPTER = "gptbuilder.accounts.two_step.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ALLOW_UNVERIFIED_EMAIL = ACCOUNT_EMAIL_VERIFICATION == "none"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "gptbuilder.accounts.two_step.AuthenticateForm",
    "reauthenticate": "gptbuilder.accounts.two_step.ReauthenticateForm",
}
# Identity providers of the company: a JSON list; docs/how-to/sign-in-with-your-identity-provider.md shows one.
SOCIALACCOUNT_ADAPTER = "gptbuilder.accounts.identity.SocialAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": oidc_providers(env("OIDC_PROVIDERS"))}
}
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
# What a person is told by e-mail, and what is a person's: each layer names its own, the highest first.
NOTIFICATION_KINDS = ["gptbuilder.accounts.security.KINDS", "gptbuilder.accounts.exports.KINDS"]
PERSONAL_DATA = [
    "gptbuilder.conversations.personal_data.HOLDING",
    "gptbuilder.gpts.personal_data.HOLDING",
    "gptbuilder.knowledge.personal_data.HOLDING",
    "gptbuilder.providers.personal_data.HOLDING",
    "gptbuilder.usage.personal_data.HOLDING",
    "gptbuilder.workspaces.personal_data.HOLDING",
    "gptbuilder.accounts.holding.HOLDING",
]
# Who lists files of knowledge: each says which of some ids it lists. What nobody lists is erased after some days.
FILE_HOLDERS = ["gptbuilder.gpts.files.listed", "gptbuilder.conversations.thread_files.listed"]
DELETION_DAYS = 7
EXPORT_DAYS = 7
EMAIL_BACKEND = env("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env("EMAIL_HOST", "localhost")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", f"gpts@{urlsplit(BASE_URL).hostname}")

# Pages
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
SITE_NAME = env("SITE_NAME") or _("GPTs")
STATIC_URL = "/static/"
STATIC_ROOT = Path(env("STATIC_ROOT") or HOME / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env("MEDIA_ROOT") or HOME / "files")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "gptbuilder.web.storage.BundledStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
PICTURE_MAX_BYTES = 10 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Safety
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "gptbuilder.web.views.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "gptbuilder.accounts.sessions"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env_bool("SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", 3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
# Who watches: a monitor's password for /metrics, and where errors are reported.
METRICS_TOKEN = env("METRICS_TOKEN")
SENTRY_DSN = env("SENTRY_DSN")
# What the server may fetch besides the public internet when a person gives the address.
OUTBOUND_ALLOWED_HOSTS = allow_list(env_list("OUTBOUND_ALLOWED_HOSTS"))
# How many proxies of ours stand before the web process: their X-Forwarded-For entries are believed.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"ids": {"()": "gptbuilder.web.logs.IdsFilter"}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(run_id)s",
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["ids"]},
        "errors": {"class": "gptbuilder.web.presence.ErrorCounter", "level": "ERROR"},
    },
    "root": {"handlers": ["stderr", "errors"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        # It would write down the headers of answers.
        "httpcore": {"level": "WARNING"},
        # A line for every connection that is borrowed and given back.
        "psycopg.pool": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
    },
}

if SENTRY_DSN:
    # Only then: it costs every process some megabytes.
    from gptbuilder.operation import error_reporting

    error_reporting.start(SENTRY_DSN, "production" if PRODUCTION else "development")
