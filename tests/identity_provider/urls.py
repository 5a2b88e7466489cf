"""A sign-in page as plain as can be, and the protocol."""

from django.contrib.auth import authenticate, login
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import include, path
from django.utils.html import format_html

FORM = """<!doctype html><title>Provider</title><form method="post"><input type="hidden" name="next" value="{}">
<label>Name <input name="name"></label> <label>Password <input name="password" type="password"></label>
<button>Sign in</button></form>"""


def sign_in(request):
    if request.method == "POST":
        person = authenticate(request, username=request.POST["name"], password=request.POST["password"])
        if person:
            login(request, person)
            return HttpResponseRedirect(request.POST["next"])
    return HttpResponse(format_html(FORM, request.GET.get("next", "")))


urlpatterns = [
    path("sign-in/", sign_in, name="sign_in"),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
