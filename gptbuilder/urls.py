"""Every address of the site. Each app names its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("gptbuilder.web.urls")),
    path("", include("gptbuilder.accounts.urls")),
    path("", include("gptbuilder.conversations.urls")),
    path("", include("gptbuilder.builder.urls")),
    path("", include("gptbuilder.gpts.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
