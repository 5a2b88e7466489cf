"""`python -m tests.identity_provider PORT`: makes its people and its client, then serves.

The environment gives IDENTITY_PROVIDER_FOLDER and, for the client, IDENTITY_PROVIDER_REDIRECTS.
"""

import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PEOPLE = [
    ("dora", "Dora Lake", "dora@example.org", ""),
    ("ada", "Ada at work", "ada@example.org", ""),
    ("mallory", "Mallory", "ada@example.org", "unverified"),
    ("nameless", "No Address", "", ""),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments):
        pass


def make_key(file: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def fill() -> None:
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    for name, first, email, last in PEOPLE:
        User.objects.create_user(name, email, f"{name}'s password", first_name=first, last_name=last)
    Application.objects.create(
        name="GPT Builder",
        client_id="gptbuilder",
        client_secret="a client secret",
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=os.environ["IDENTITY_PROVIDER_REDIRECTS"],
        skip_authorization=True,
        algorithm="RS256",
    )


def main() -> None:
    make_key(Path(os.environ["IDENTITY_PROVIDER_FOLDER"]) / "key.pem")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.identity_provider.settings"
    import django
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    django.setup()
    call_command("migrate", verbosity=0)
    fill()
    server = make_server(
        "127.0.0.1", int(sys.argv[1]), get_wsgi_application(), server_class=Server, handler_class=Quiet
    )
    server.serve_forever()


main()
