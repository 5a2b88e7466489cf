"""A real identity provider in its own process: OpenID Connect by django-oauth-toolkit."""
