"""What may Cleo see? Every address of the site, with every object of Ada's, asked by everybody who has no right to it.

An address that stands in none of the sets below fails the test, so none can be forgotten.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from gptbuilder.accounts.models import User
from gptbuilder.conversations import guests
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access, builtin, drafts, pictures, versions
from gptbuilder.gpts.models import GPT, Draft, GPTVersion, LinkVisit, Picture
from gptbuilder.workspaces.models import Workspace
from tests import world
from tests.upstream import png

# The stream's view closes the connections of its thread.
pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "canary-7f3a"
# For everybody, the same for everybody.
PUBLIC = {
    "web:healthz", "web:readyz", "web:language", "web:appearance", "web:model_status", "web:connect_a_model",
    "conversations:home", "gpts:avatar", "accounts:sign_in",
}  # fmt: skip
# For members, about themselves: no object in the address.
MEMBERS = {
    "conversations:new", "builder:gpts", "builder:new",
    "accounts:settings", "accounts:profile", "accounts:preferences", "accounts:email",
}  # fmt: skip
# About an object: for those who may see that object.
OBJECTS = {
    "conversations:thread", "conversations:messages", "conversations:regeneration", "conversations:title",
    "conversations:older", "conversations:events", "conversations:cancellation", "conversations:answer",
    "conversations:gpt", "conversations:start", "conversations:link", "conversations:link_start",
    "builder:create", "builder:conversation", "builder:messages", "builder:configure", "builder:draft",
    "builder:picture", "builder:preview", "builder:preview_conversation", "builder:preview_messages",
    "builder:preview_reset", "builder:publication", "builder:audience", "builder:link", "builder:versions",
    "builder:restoration", "gpts:picture",
}  # fmt: skip
BODY = {"text": "Let me in", "name": "Taken over", "audience": "link", "starters": ["Mine now"]}


@dataclass
class Ada:
    """What Ada owns, every word of it marked, and the values of an address that lead to it."""

    person: User
    values: dict[str, list[str]] = field(default_factory=dict)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything she has, as it stands in the database."""
        owned: dict[type[Model], dict[str, Any]] = {
            GPT: {"owner": self.person},
            Draft: {"gpt__owner": self.person},
            GPTVersion: {"gpt__owner": self.person},
            Picture: {"gpt__owner": self.person},
            Thread: {"owner": self.person},
            Message: {"thread__owner": self.person},
            Run: {"thread__owner": self.person},
            RunStep: {"run__thread__owner": self.person},
            LinkVisit: {"gpt__owner": self.person},
        }
        return {
            model.__name__: list(model._default_manager.filter(**mine).order_by("pk").values())
            for model, mine in owned.items()
        }


@pytest.fixture
def own(ada: User, cleo: User) -> Ada:
    private = marked_gpt(ada)
    ended = marked_gpt(ada)
    access.share(ended, GPT.Audience.LINK)
    token = ended.link_token
    access.remember_visit(ended, cleo)
    access.revoke_link(ended)
    threads = [
        marked_thread(ada, private, Thread.Purpose.CHAT, Run.Status.COMPLETED),
        marked_thread(ada, private, Thread.Purpose.PREVIEW, Run.Status.IN_PROGRESS),
        marked_thread(ada, builtin.builder_gpt(), Thread.Purpose.BUILDER, Run.Status.FAILED, subject=private),
    ]
    return Ada(
        ada,
        {
            "gpt_id": [private.pk, ended.pk],
            "version_id": [version.pk for version in GPTVersion.objects.filter(gpt__owner=ada)],
            "picture_id": [picture.pk for picture in Picture.objects.filter(gpt__owner=ada)],
            "thread_id": [thread.pk for thread in threads],
            "run_id": [run.pk for run in Run.objects.filter(thread__owner=ada)],
            "token": [str(token)],
        },
    )


def marked_gpt(owner: User) -> GPT:
    marked = {name: f"{name} {SECRET}" for name in ("name", "description", "instructions")}
    gpt = world.trail_planner(owner, **marked, starters=[f"starter {SECRET}"])
    drafts.apply(gpt.pk, {"picture_id": pictures.receive(gpt, BytesIO(png())).pk})
    versions.publish(gpt, owner, timezone.now())
    return GPT.objects.get(pk=gpt.pk)


def marked_thread(owner: User, gpt: GPT, purpose: str, status: str, subject: GPT | None = None) -> Thread:
    thread = Thread.objects.create(
        workspace=Workspace.objects.personal(owner),
        owner=owner,
        gpt=gpt,
        subject=subject,
        purpose=purpose,
        title=f"title {SECRET}",
    )
    question = Message.objects.create(thread=thread, role=Message.Role.USER, text=f"question {SECRET}")
    now = timezone.now()
    run = Run.objects.create(thread=thread, version=gpt.live_version, person=owner, question=question, status=status)
    Message.objects.create(
        thread=thread, parent=question, role="assistant", text=f"answer {SECRET}", html=f"answer {SECRET}", run=run
    )
    RunStep.objects.create(
        run=run, position=1, kind=RunStep.Kind.MESSAGE, attempt=1, text=f"step {SECRET}", started_at=now
    )
    thread.head = question
    thread.save()
    return thread


@dataclass(frozen=True)
class Address:
    name: str
    variables: tuple[str, ...]

    def paths(self, values: dict[str, list[str]]) -> Iterator[str]:
        for chosen in itertools.product(*(values[variable] for variable in self.variables)):
            yield reverse(self.name, kwargs=dict(zip(self.variables, chosen, strict=True)))


def addresses() -> list[Address]:
    """Every address of the URL configuration that has a name, the admin's and allauth's too."""
    return list(_addresses(get_resolver(), ""))


def _addresses(resolver: URLResolver, namespace: str) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}", tuple(pattern.pattern.regex.groupindex))


def of_the_admin(address: Address) -> bool:
    return address.name.startswith("admin:")


def of_allauth(address: Address) -> bool:
    return address.name.startswith("account_")


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def a_guest() -> Client:
    client = Client()
    session = client.session
    session[guests.SESSION_KEY] = get_user_model().objects.create_user(None, kind=User.Kind.GUEST).pk
    session.save()
    return client


VISITORS: dict[str, Callable[[User], Client]] = {
    "a stranger who is signed in": signed_in,
    "the guest of another session": lambda cleo: a_guest(),
    "nobody": lambda cleo: Client(),
}


@pytest.fixture(params=VISITORS)
def visitor(request: pytest.FixtureRequest, cleo: User) -> Client:
    return VISITORS[request.param](cleo)


def asked(client: Client, path: str) -> dict[str, HttpResponse]:
    """The answers to every way of asking."""
    return {
        "GET": client.get(path),
        "GET by htmx": client.get(path, headers={"HX-Request": "true"}),
        "POST": client.post(path, BODY),
        "POST of a file": client.post(path, {"picture": BytesIO(png())}),
        "DELETE": client.delete(path),
    }


def leads_to_sign_in(response: HttpResponse) -> bool:
    return response.status_code == 302 and response["Location"].startswith(reverse("account_login"))


def test_every_address_is_known_here():
    ours = {address.name for address in addresses() if not of_the_admin(address) and not of_allauth(address)}

    assert ours == PUBLIC | MEMBERS | OBJECTS, "say in this file who may open the new address"
    assert not (PUBLIC & MEMBERS or PUBLIC & OBJECTS or MEMBERS & OBJECTS)


def test_an_object_in_an_address_is_one_that_is_tried_here(own):
    variables = {variable for address in addresses() if address.name in OBJECTS for variable in address.variables}

    assert variables == set(own.values)
    assert all(address.variables for address in addresses() if address.name in OBJECTS)
    assert not any(address.variables for address in addresses() if address.name in MEMBERS)


def test_others_reach_nothing_of_adas(own, visitor):
    is_member = "_auth_user_id" in visitor.session
    before = own.rows()
    wrong = []

    for address in addresses():
        if address.name not in OBJECTS:
            continue
        for path in address.paths(own.values):
            answers = asked(visitor, path)
            for way, response in answers.items():
                refused = response.status_code in (404, 405) or (leads_to_sign_in(response) and not is_member)
                if not refused or SECRET in response.content.decode():
                    wrong.append(f"{way} {path} ({address.name}): {response.status_code}")
            if all(response.status_code == 405 for response in answers.values()):
                wrong.append(f"{path} ({address.name}): no way of asking reaches the object")

    assert wrong == []
    assert own.rows() == before


def test_the_owner_reaches_what_the_others_do_not(own):
    """Otherwise the test above would pass with addresses that lead nowhere."""
    client = signed_in(own.person)
    nowhere = set()

    for address in addresses():
        if address.name in OBJECTS - {"conversations:link", "conversations:link_start", "conversations:events"}:
            reached = set()
            for path in address.paths(own.values):
                for response in (client.get(path), client.post(path, {"text": ""})):
                    reached.add(response.status_code)
                    response.close()
            if reached <= {404, 405}:
                nowhere.add(address.name)

    assert nowhere == {"builder:link"}, "which takes a DELETE alone"


def test_pages_without_an_object_show_nothing_of_adas(own, visitor):
    is_member = "_auth_user_id" in visitor.session
    wrong = []

    for address in addresses():
        if address.name in PUBLIC | MEMBERS and not address.variables:
            path = reverse(address.name)
            for way, response in asked(visitor, path).items():
                if SECRET in response.content.decode() or response.status_code >= 500:
                    wrong.append(f"{way} {path}: {response.status_code}")
                if address.name in MEMBERS and not is_member:
                    allowed = leads_to_sign_in(response) or response.status_code == 405
                    wrong += [] if allowed else [f"{way} {path}: {response.status_code}, and nobody is signed in"]

    assert wrong == []


def test_a_link_that_was_made_anew_does_not_open_for_who_had_the_old_one(own, cleo):
    gpt = GPT.objects.get(pk=own.values["gpt_id"][1])
    access.share(gpt, GPT.Audience.LINK)
    client = signed_in(cleo)

    tried = [
        client.get(reverse("conversations:link", args=own.values["token"])),
        client.get(reverse("conversations:gpt", args=[gpt.pk])),
        client.post(reverse("conversations:start", args=[gpt.pk]), {"text": "Let me in"}),
    ]

    assert [response.status_code for response in tried] == [404, 404, 404]


def test_who_has_the_link_sees_the_face_and_not_the_instructions(own, visitor):
    gpt = GPT.objects.get(pk=own.values["gpt_id"][1])
    access.share(gpt, GPT.Audience.LINK)
    drafts.apply(gpt.pk, {"name": "Not live yet"})

    page = visitor.get(reverse("conversations:link", args=[gpt.link_token])).content.decode()

    assert f"name {SECRET}" in page
    assert f"instructions {SECRET}" not in page
    assert "Not live yet" not in page
    assert visitor.get(reverse("builder:create", args=[gpt.pk])).status_code in (302, 404)


def test_a_chat_with_a_shared_gpt_belongs_to_the_visitor_alone(own, cleo):
    gpt = GPT.objects.get(pk=own.values["gpt_id"][1])
    access.share(gpt, GPT.Audience.LINK)
    thread = marked_thread(cleo, gpt, Thread.Purpose.CHAT, Run.Status.COMPLETED)
    run = thread.runs.get()
    theirs = {"gpt_id": [gpt.pk], "thread_id": [thread.pk], "run_id": [run.pk]}
    owner, wrong = signed_in(own.person), []

    for address in addresses():
        if address.name in OBJECTS and set(address.variables) & {"thread_id", "run_id"}:
            for path in address.paths(theirs):
                for way, response in asked(owner, path).items():
                    if response.status_code not in (404, 405):
                        wrong.append(f"{way} {path}: {response.status_code}")

    assert wrong == []


def test_the_builder_and_the_default_gpt_are_nobodys_to_edit(own, mo):
    ids = [builtin.builder_gpt().pk, builtin.default_gpt().pk]
    editing = [address for address in addresses() if address.name.startswith("builder:") and address.variables]
    client, wrong = signed_in(mo), []

    for address in editing:
        for path in address.paths({"gpt_id": ids, "version_id": own.values["version_id"]}):
            for way, response in asked(client, path).items():
                if response.status_code not in (404, 405):
                    wrong.append(f"{way} {path}: {response.status_code}")

    assert wrong == []


def test_the_admin_asks_who_is_not_staff_to_sign_in(own, visitor):
    wrong = []

    for path in admin_paths(own):
        response = visitor.get(path)
        refused = response.status_code == 302 and response["Location"].startswith(reverse("admin:login"))
        if not refused or SECRET in response.content.decode():
            wrong.append(f"{path}: {response.status_code}")

    assert wrong == []


def test_the_admin_does_not_show_staff_what_people_said(own, mo):
    client, wrong = signed_in(mo), []
    said = [f"{word} {SECRET}" for word in ("question", "answer", "step")]

    for path in admin_paths(own):
        page = client.get(path, follow=True).content.decode(errors="replace")
        wrong += [f"{path}: {words}" for words in said if words in page]

    assert wrong == []


def admin_paths(own: Ada) -> list[str]:
    """Every page of the admin but its doors, the pages about an object for each object of Ada's."""
    objects = [own.person.pk, *itertools.chain(*own.values.values())]
    values = {"object_id": objects, "app_label": ["gpts"], "content_type_id": ["1"], "id": ["new"]}
    doors = {"admin:login", "admin:logout", "admin:None"}
    return [path for one in addresses() if of_the_admin(one) and one.name not in doors for path in one.paths(values)]
