"""Every address of the site. Each app names its own."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("gptbuilder.web.urls")),
    path("", include("gptbuilder.accounts.urls")),
    path("administration/", include("gptbuilder.providers.urls")),
    path("", include("gptbuilder.knowledge.urls")),
    path("", include("gptbuilder.conversations.urls")),
    path("", include("gptbuilder.builder.urls")),
    path("", include("gptbuilder.gpts.urls")),
    path("", include("gptbuilder.operation.urls")),
    path("accounts/", include("gptbuilder.accounts.allauth_urls")),
    path("admin/", admin.site.urls),
]

handler400 = "gptbuilder.web.views.bad_request"
handler403 = "gptbuilder.web.views.forbidden"
handler404 = "gptbuilder.web.views.not_found"
handler500 = "gptbuilder.web.views.server_error"
