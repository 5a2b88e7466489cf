"""What may Cleo see? Every address of the site, with every object of Ada's, asked by everybody who has no right to it.

An address that stands in none of the sets below fails the test, so none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gptbuilder.accounts import closing, notifications, sign_in_links
from gptbuilder.accounts.models import DataExport, Notification, NotificationChoice, SignInLink, User
from gptbuilder.conversations import attachments, guests, keeping, sharing
from gptbuilder.conversations.models.attachment import Attachment
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.queued import QueuedMessage
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.share import Share
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.conversations.models.thread_file import ThreadFile
from gptbuilder.gpts import access, builtin, deleting, drafts, files, pictures, versions
from gptbuilder.gpts.models import GPT, Draft, GPTVersion, LinkVisit, Picture
from gptbuilder.knowledge import cases, records, uploads
from gptbuilder.knowledge.models import (
    Content,
    KnowledgeFile,
    Passage,
    RetrievalCase,
    RetrievalTrial,
    Search,
    Upload,
)
from gptbuilder.knowledge.search import Found
from gptbuilder.lib.ids import new_id
from gptbuilder.providers.models import Provider, ProviderModel
from gptbuilder.workspaces.models import Workspace
from tests import world
from tests.addresses import Address, addresses, of_allauth, of_the_admin
from tests.upstream import png

# The stream's view closes the connections of its thread.
pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "canary-7f3a"
# For everybody, the same for everybody; an uploaded image belongs to who uploads it.
PUBLIC = {
    "web:healthz", "web:readyz", "web:language", "web:appearance", "web:model_status", "web:connect_a_model",
    "conversations:home", "conversations:uploads", "conversations:files", "knowledge:uploads", "gpts:avatar",
}  # fmt: skip
# For members, about themselves: no object in the address.
MEMBERS = {
    "conversations:new", "conversations:kept", "conversations:search",
    "builder:gpts", "builder:new", "builder:examples", "builder:example", "builder:adoption",
    "accounts:settings", "accounts:profile", "accounts:preferences", "accounts:email", "accounts:end_other_sessions",
    "accounts:notification", "accounts:export_status", "accounts:export", "accounts:delete",
}  # fmt: skip
# What stands in these addresses is nobody's.
WORDS = {"seed": ["0123456789ab"], "slug": ["family-hikes"], "kind": ["export_ready"]}
# For who holds the link of a mail. The last one asks for its person, too.
MAILED = {"accounts:sign_in", "accounts:unsubscribe", "accounts:reopen", "accounts:confirm_delete"}
# About an object: for those who may see that object.
OBJECTS = {
    "conversations:thread", "conversations:messages", "conversations:regeneration", "conversations:title",
    "conversations:menu", "conversations:archive", "conversations:deletion", "conversations:erasure",
    "conversations:share", "conversations:export_markdown", "conversations:export_json", "conversations:export_all",
    "conversations:older", "conversations:queue", "conversations:delivery", "conversations:queued",
    "conversations:question", "conversations:edition", "conversations:branch", "conversations:feedback",
    "conversations:image", "conversations:upload", "conversations:file", "conversations:passage",
    "conversations:events", "conversations:cancellation", "conversations:decision", "conversations:answer",
    "conversations:shared", "conversations:shared_picture", "conversations:shared_image", "conversations:continuation",
    "conversations:gpt", "conversations:start", "conversations:link", "conversations:link_start",
    "builder:create", "builder:conversation", "builder:messages", "builder:configure", "builder:reversal",
    "builder:draft", "builder:lock", "builder:picture", "builder:preview", "builder:preview_conversation",
    "builder:preview_messages", "builder:preview_reset", "builder:publication", "builder:audience", "builder:link",
    "builder:retrieval", "builder:passages", "builder:cases", "builder:case_deletion", "builder:case_recovery",
    "builder:trials", "builder:versions", "builder:comparison", "builder:restoration", "builder:duplicate",
    "builder:deletion", "builder:recovery", "builder:files", "builder:file_rules", "builder:file",
    "builder:file_return", "builder:file_replacement", "builder:file_reading", "builder:file_erasure",
    "builder:file_content", "knowledge:upload", "gpts:picture", "accounts:end_session", "accounts:download",
}  # fmt: skip
# Their tokens below open nothing any more, for the owner neither.
LINKS = {
    "conversations:link", "conversations:link_start",
    "conversations:shared", "conversations:shared_picture", "conversations:shared_image", "conversations:continuation",
}  # fmt: skip
# Nobody else learns that these exist.
STAFF = {
    "providers:ready", "providers:test_mail", "providers:dismissal", "providers:models", "providers:new",
    "providers:provider", "providers:default", "providers:deletion", "providers:restoration", "providers:checks",
    "providers:added_models", "providers:model", "providers:default_model", "providers:model_removal",
    "operation:metrics", "operation:operation",
}  # fmt: skip
# After these, other addresses lead nowhere for who may ask: they are asked last.
PARTING = {"conversations:deletion", "builder:file_erasure", "builder:deletion", "providers:deletion"}
BODY = {"text": "Let me in", "name": "Taken over", "audience": "link", "starters": ["Mine now"]}


@dataclass
class Ada:
    """What Ada owns, every word of it marked, and the values of an address that lead to it."""

    person: User
    values: dict[str, list[str]] = field(default_factory=dict)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything she has, as it stands in the database."""
        owned: dict[type[Model], dict[str, Any]] = {
            User: {"pk": self.person.pk},
            UserSession: {"user": self.person},
            Authenticator: {"user": self.person},
            SignInLink: {"user": self.person},
            DataExport: {"user": self.person},
            Notification: {"user": self.person},
            NotificationChoice: {"user": self.person},
            GPT: {"owner": self.person},
            Draft: {"gpt__owner": self.person},
            GPTVersion: {"gpt__owner": self.person},
            Picture: {"gpt__owner": self.person},
            Thread: {"owner": self.person},
            Message: {"thread__owner": self.person},
            Run: {"thread__owner": self.person},
            RunStep: {"run__thread__owner": self.person},
            Share: {"thread__owner": self.person},
            Feedback: {"message__thread__owner": self.person},
            QueuedMessage: {"thread__owner": self.person},
            Attachment: {"person": self.person},
            ThreadFile: {"person": self.person},
            LinkVisit: {"gpt__owner": self.person},
            KnowledgeFile: {"uploaded_by": self.person},
            Passage: {"content__files__uploaded_by": self.person},
            Search: {"holder_id__in": self.values["gpt_id"]},
            RetrievalCase: {"holder_id__in": self.values["gpt_id"]},
            RetrievalTrial: {"holder_id__in": self.values["gpt_id"]},
            Content: {"workspace__personal_of": self.person},
            Upload: {"person": self.person},
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
    gone = marked_gpt(ada)
    deleting.delete(gone, timezone.now())
    threads = [
        marked_thread(ada, private, Thread.Purpose.CHAT, Run.Status.COMPLETED),
        marked_thread(ada, private, Thread.Purpose.PREVIEW, Run.Status.IN_PROGRESS),
        marked_thread(ada, builtin.builder_gpt(), Thread.Purpose.BUILDER, Run.Status.FAILED, subject=private),
        marked_thread(ada, private, Thread.Purpose.CHAT, Run.Status.COMPLETED),
    ]
    dead_shares = [sharing.publish(thread, names_owner=True).token for thread in (threads[0], threads[3])]
    Share.objects.get(thread=threads[0]).delete()
    keeping.delete(threads[3], timezone.now())
    sharing.publish(threads[0], names_owner=True)
    waiting = QueuedMessage.objects.create(thread=threads[1], text=f"waiting {SECRET}")
    said = Message.objects.filter(thread__owner=ada)
    Feedback.objects.create(message=said.filter(role="assistant")[0], person=ada, rating="down", words=SECRET)
    images = [marked_image(ada), marked_image(ada, message=said[0]), marked_image(ada, queued=waiting)]
    given = [marked_attachment(ada), marked_attachment(ada, message=said[0]), marked_attachment(ada, queued=waiting)]
    file = KnowledgeFile.objects.get(pk=private.draft.files[0]["id"])
    here, removed = (
        cases.add(gpt_id, f"case {SECRET}", file, Passage.objects.get(content=file.content_id))
        for gpt_id in (private.pk, ended.pk)
    )
    cases.remove(removed, timezone.now())
    records.note_search(private.pk, f"search {SECRET}", Found(), asker=ada, is_makers=True)
    return Ada(
        ada,
        {
            "gpt_id": [private.pk, ended.pk, gone.pk],
            "version_id": [version.pk for version in GPTVersion.objects.filter(gpt__owner=ada)],
            "picture_id": [picture.pk for picture in Picture.objects.filter(gpt__owner=ada)],
            "field": ["name"],
            "thread_id": [thread.pk for thread in threads],
            "message_id": [message.pk for message in said],
            "queued_id": [waiting.pk],
            "attachment_id": [image.pk for image in images],
            "thread_file_id": [file.pk for file in given],
            "run_id": [run.pk for run in Run.objects.filter(thread__owner=ada)],
            "number": ["1"],
            "token": [str(token), *dead_shares],
            "pk": [str(marked_session(ada).pk)],
            "export_id": [marked_export(ada).pk],
            "file_id": [file.pk],
            "case_id": [here.pk, removed.pk],
            "upload_id": [uploads.begin(ada, f"upload {SECRET}", 11).pk],
        },
    )


def marked_session(owner: User) -> UserSession:
    key = signed_in(owner).session.session_key
    UserSession.objects.filter(session_key=key).delete()
    return UserSession.objects.create(user=owner, session_key=key, ip="127.0.0.1", user_agent=f"agent {SECRET}")


def marked_export(owner: User) -> DataExport:
    export = DataExport(user=owner, status=DataExport.Status.READY, expires_at=timezone.now() + timedelta(days=1))
    export.file.save("all.zip", ContentFile(f"everything {SECRET}".encode()))
    return export


def marked_image(owner: User, **place: Message | QueuedMessage) -> Attachment:
    image = attachments.receive(owner, BytesIO(png()), timezone.now())
    Attachment.objects.filter(pk=image.pk).update(**place)
    return image


def marked_attachment(owner: User, **place: Message | QueuedMessage) -> ThreadFile:
    return ThreadFile.objects.create(person=owner, file=marked_file(owner), is_sent=bool(place), **place)


def marked_file(owner: User) -> KnowledgeFile:
    workspace = Workspace.objects.personal(owner)
    content = Content(workspace=workspace, sha256=new_id("sha"), size_bytes=9, state=Content.State.WORDS)
    content.file.save("file", ContentFile(f"bytes {SECRET}".encode()), save=False)
    content.passage_count = 1
    content.save()
    Passage.objects.create(content=content, position=0, kind="page", number=1, text=f"passage {SECRET}", sha256="0")
    return KnowledgeFile.objects.create(
        workspace=workspace, uploaded_by=owner, content=content, name=f"file {SECRET}.txt", size_bytes=9
    )


def marked_gpt(owner: User) -> GPT:
    marked = {name: f"{name} {SECRET}" for name in ("name", "description", "instructions")}
    gpt = world.trail_planner(owner, **marked, starters=[f"starter {SECRET}"])
    drafts.apply(gpt.pk, {"picture_id": pictures.receive(gpt, BytesIO(png())).pk})
    files.add(gpt, [marked_file(owner)])
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
    answer = Message.objects.create(
        thread=thread, parent=question, role="assistant", text=f"answer {SECRET}", html=f"answer {SECRET}", run=run
    )
    RunStep.objects.create(
        run=run, position=1, kind=RunStep.Kind.MESSAGE, attempt=1, text=f"step {SECRET}", started_at=now
    )
    for file in KnowledgeFile.objects.filter(pk__in=[entry["id"] for entry in gpt.draft.files]):
        passage = Passage.objects.get(content=file.content)
        data = {"number": 1, "passage": passage.pk, "file": file.pk, "name": file.name, "words": ["passage"]}
        data |= {"kind": "page", "ordinal": 1, "title": ""}
        RunStep.objects.create(
            run=run, position=2, kind=RunStep.Kind.TOOL, attempt=1, data={"passages": [data]}, started_at=now
        )
    thread.head = question if run.is_active else answer
    thread.save()
    return thread


def named(names: set[str]) -> list[Address]:
    """The addresses of these names, those after which others lead nowhere at the end."""
    return sorted((one for one in addresses() if one.name in names), key=lambda one: one.name in PARTING)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="gptbuilder.accounts.backends.PageBackend")
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
        "POST of a file": client.post(path, {kind: BytesIO(png()) for kind in ("picture", "image", "file")}),
        "DELETE": client.delete(path),
    }


def words_of(response: HttpResponse) -> str:
    return "" if response.streaming else response.content.decode(errors="replace")


def reached(client: Client, path: str) -> set[int]:
    """How the address answers when it is asked properly."""
    answers = [client.get(path), client.post(path, {"text": ""})]
    for response in answers:
        response.close()
    return {response.status_code for response in answers} - {404, 405}


def leads_to_sign_in(response: HttpResponse) -> bool:
    return response.status_code == 302 and response["Location"].startswith(reverse("account_login"))


def test_every_address_is_known_here():
    ours = {address.name for address in addresses() if not of_the_admin(address) and not of_allauth(address)}
    known = [PUBLIC, MEMBERS, MAILED, OBJECTS, STAFF]

    assert ours == set().union(*known), "say in this file who may open the new address"
    assert len(ours) == sum(len(names) for names in known), "an address stands in two sets"


def test_an_object_in_an_address_is_one_that_is_tried_here(own):
    variables = {variable for address in named(OBJECTS) for variable in address.variables}

    assert variables == set(own.values)
    assert all(address.variables for address in named(OBJECTS))
    assert {variable for address in named(PUBLIC | MEMBERS) for variable in address.variables} == set(WORDS)


def test_others_reach_nothing_of_adas(own, visitor):
    is_member = "_auth_user_id" in visitor.session
    before = own.rows()
    wrong = []

    for address in named(OBJECTS):
        for path in address.paths_in_step(own.values):
            answers = asked(visitor, path)
            for way, response in answers.items():
                refused = response.status_code in (404, 405) or (leads_to_sign_in(response) and not is_member)
                if not refused or SECRET in words_of(response):
                    wrong.append(f"{way} {path} ({address.name}): {response.status_code}")
            if all(response.status_code == 405 for response in answers.values()):
                wrong.append(f"{path} ({address.name}): no way of asking reaches the object")

    assert wrong == []
    assert own.rows() == before


def test_the_owner_reaches_what_the_others_do_not(own):
    """Otherwise the test above would pass with addresses that lead nowhere."""
    client = signed_in(own.person)

    nowhere = {
        address.name
        for address in named(OBJECTS - LINKS - {"conversations:events"})
        if not any(reached(client, path) for path in address.paths(own.values))
    }

    assert nowhere == {"builder:link", "conversations:upload"}, "which take a DELETE alone"


def test_pages_without_an_object_show_nothing_of_adas(own, visitor):
    is_member = "_auth_user_id" in visitor.session
    before = own.rows()
    wrong = []

    for address in named(PUBLIC | MEMBERS):
        for path in address.paths(WORDS):
            for way, response in asked(visitor, path).items():
                if SECRET in words_of(response) or response.status_code >= 500:
                    wrong.append(f"{way} {path}: {response.status_code}")
                if address.name in MEMBERS and not is_member:
                    allowed = leads_to_sign_in(response) or response.status_code == 405
                    wrong += [] if allowed else [f"{way} {path}: {response.status_code}, and nobody is signed in"]

    assert wrong == []
    assert own.rows() == before
    assert ("_auth_user_id" in visitor.session) == is_member, "the visitor was signed out on the way"


def test_search_finds_nothing_of_adas(own, visitor):
    signed_in_as_ada = signed_in(own.person)

    for word in ("canary", SECRET, "question"):
        page = reverse("conversations:search", query={"q": word})
        assert f"title {SECRET}" not in visitor.get(page).content.decode()
        assert own.values["thread_id"][0] not in visitor.get(page).content.decode()
        assert own.values["thread_id"][0] in signed_in_as_ada.get(page).content.decode()


def test_an_image_of_adas_does_not_go_with_a_message_of_somebody_else(own, cleo):
    before = own.rows()
    client, path = signed_in(cleo), reverse("conversations:start", args=[builtin.default_gpt().pk])

    for image in own.values["attachment_id"]:
        client.post(path, {"text": "Look", "image": image})
    client.post(path, {"text": "Look at nothing"})

    assert [message.text for message in Message.objects.filter(thread__owner=cleo)] == ["Look at nothing"]
    assert own.rows() == before


def test_a_file_of_adas_does_not_go_with_a_message_of_somebody_else(own, cleo):
    before = own.rows()
    client, path = signed_in(cleo), reverse("conversations:start", args=[builtin.default_gpt().pk])

    for file in [*own.values["thread_file_id"], *KnowledgeFile.objects.values_list("pk", flat=True)]:
        client.post(path, {"text": "Look", "file": file})
    client.post(path, {"text": "Look at nothing"})

    assert [message.text for message in Message.objects.filter(thread__owner=cleo)] == ["Look at nothing"]
    assert own.rows() == before


def test_the_pages_of_the_staff_are_not_there_for_anybody_else(visitor):
    values = endpoints()
    before = [list(model.objects.order_by("pk").values()) for model in (Provider, ProviderModel)]
    wrong = []

    for address in named(STAFF):
        for path in address.paths(values):
            for way, response in asked(visitor, path).items():
                if response.status_code not in (404, 405) or SECRET in words_of(response):
                    wrong.append(f"{way} {path} ({address.name}): {response.status_code}")

    assert wrong == []
    assert [list(model.objects.order_by("pk").values()) for model in (Provider, ProviderModel)] == before


def test_the_pages_of_the_staff_are_there_for_the_staff(mo):
    client, values = signed_in(mo), endpoints()

    nowhere = {
        address.name for address in named(STAFF) if not any(reached(client, path) for path in address.paths(values))
    }

    assert nowhere == set()


def endpoints() -> dict[str, list[str]]:
    """A provider, a deleted one and the environment's, and the models of the first two."""
    here, gone = (
        Provider.objects.create(name=f"provider {SECRET}", base_url="http://127.0.0.1:9/v1", deleted_at=deleted_at)
        for deleted_at in (None, timezone.now())
    )
    models = [ProviderModel.objects.create(provider=provider, name=f"model {SECRET}") for provider in (here, gone)]
    return {"provider_id": [here.pk, gone.pk, "environment"], "model_id": [str(model.pk) for model in models]}


def test_a_link_of_a_mail_opens_what_it_was_sent_for_and_nothing_else(own, visitor):
    is_member = "_auth_user_id" in visitor.session
    tokens = {**mailed(own.person), "nothing": "unknown", "a share": live_share(own).token}
    before = own.rows()
    wrong = []

    for address in named(MAILED):
        # The one is for Ada signed in, the other for an account that is closed: they open nothing here.
        is_worthless = address.name in ("accounts:confirm_delete", "accounts:reopen")
        for name, token in tokens.items():
            if name == address.name and not is_worthless:
                continue
            path = reverse(address.name, args=[token])
            for way, response in asked(visitor, path).items():
                refused = response.status_code in (404, 405, 410) or (leads_to_sign_in(response) and not is_member)
                if not refused or SECRET in words_of(response) or str(own.person.email) in words_of(response):
                    wrong.append(f"{way} {path} with the token of {name}: {response.status_code}")

    assert wrong == []
    assert own.rows() == before


def test_who_has_a_mail_of_adas_learns_nothing_of_her_by_its_links(own, visitor):
    tokens = mailed(own.person)
    pages = [visitor.get(reverse(name, args=[tokens[name]])) for name in ("accounts:unsubscribe", "accounts:sign_in")]
    User.objects.filter(pk=own.person.pk).update(is_active=False, deletion_due_at=timezone.now() + timedelta(days=1))
    own.person.refresh_from_db()
    pages.append(visitor.get(reverse("accounts:reopen", args=[closing.reopen_token(own.person)])))

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert not any(word in words_of(page) for page in pages for word in (SECRET, str(own.person.email)))


def mailed(person: User) -> dict[str, str]:
    """What the links of this person's mails hold, by the name of the address."""
    return {
        "accounts:sign_in": sign_in_links.make(person, timezone.now()),
        "accounts:unsubscribe": notifications.unsubscribe_token(person, "export_ready"),
        "accounts:reopen": closing.reopen_token(person),
        "accounts:confirm_delete": closing.confirm_token(person),
    }


def live_share(own: Ada) -> Share:
    return Share.objects.select_related("thread", "end").get(thread__owner=own.person, thread__deleted_at=None)


def test_who_has_the_link_of_a_chat_sees_the_shown_branch_up_to_its_end(own, visitor):
    share = live_share(own)
    thread, answer = share.thread, share.end
    token = sharing.publish(thread, names_owner=False).token
    thread.head = Message.objects.create(thread=thread, parent=answer, role="user", text="said later")
    thread.save()
    Message.objects.create(
        thread=thread, parent=answer.parent, role="assistant", text="other branch", html="other branch"
    )
    other = Message.objects.create(thread=thread, role="user", text="other question")
    images = [marked_image(own.person, message=message) for message in (thread.head, other)]

    page = visitor.get(reverse("conversations:shared", args=[token])).content.decode()

    assert f"question {SECRET}" in page
    assert f"answer {SECRET}" in page
    hidden = [f"step {SECRET}", f"instructions {SECRET}", "said later", "other branch", "other question"]
    assert not any(words in page for words in [*hidden, str(own.person.email), thread.pk, answer.pk, own.person.pk])
    assert visitor.get(reverse("conversations:shared_picture", args=[token])).status_code == 200
    # Of the two shown messages one has an image; those of what is not shown have no number.
    numbered = [visitor.get(reverse("conversations:shared_image", args=[token, number])) for number in range(4)]
    assert [response.status_code for response in numbered] == [404, 200, 404, 404]
    assert not any(image.pk in page for image in images)

    continued = visitor.post(reverse("conversations:continuation", args=[token]))

    if "_auth_user_id" not in visitor.session:
        assert leads_to_sign_in(continued)
        return
    theirs = Thread.objects.exclude(owner=own.person).get()
    assert [message.text for message in theirs.path()] == [f"question {SECRET}", f"answer {SECRET}"]
    assert theirs.messages.count() == 2
    assert theirs.gpt == builtin.default_gpt()
    assert not RunStep.objects.filter(run__thread=theirs).exists()


@pytest.mark.parametrize("ending", ["revoked", "deleted", "closed"])
def test_a_link_of_a_chat_that_has_ended_opens_nothing(own, visitor, ending):
    share = live_share(own)
    if ending == "revoked":
        share.delete()
    if ending == "deleted":
        keeping.delete(share.thread, timezone.now())
    if ending == "closed":
        User.objects.filter(pk=own.person.pk).update(is_active=False)

    tried = [
        visitor.get(reverse("conversations:shared", args=[share.token])),
        visitor.get(reverse("conversations:shared_picture", args=[share.token])),
        visitor.get(reverse("conversations:shared_image", args=[share.token, 1])),
        visitor.post(reverse("conversations:continuation", args=[share.token])),
    ]

    assert [response.status_code for response in tried[:3]] == [404, 404, 404]
    assert tried[3].status_code == 404 or leads_to_sign_in(tried[3])
    assert not Thread.objects.exclude(owner=own.person).exists()


def test_nobody_else_takes_a_key_of_adas_away(own, visitor):
    key = Authenticator.objects.create(
        user=own.person, type=Authenticator.Type.WEBAUTHN, data={"name": f"key {SECRET}", "credential": {}}
    )
    before = own.rows()
    about_a_key = [address for address in addresses() if of_allauth(address) and "pk" in address.variables]

    pages = [
        words_of(response)
        for address in about_a_key
        for path in address.paths({"pk": [str(key.pk)]})
        for response in asked(visitor, path).values()
    ]

    assert pages
    assert not any(SECRET in page for page in pages)
    assert own.rows() == before


def test_a_link_that_was_made_anew_does_not_open_for_who_had_the_old_one(own, cleo):
    gpt = GPT.objects.get(pk=own.values["gpt_id"][1])
    access.share(gpt, GPT.Audience.LINK)
    client = signed_in(cleo)

    tried = [
        client.get(reverse("conversations:link", args=[own.values["token"][0]])),
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
    waiting = QueuedMessage.objects.create(thread=thread, text=f"waiting {SECRET}")
    images = [marked_image(cleo), marked_image(cleo, message=run.question), marked_image(cleo, queued=waiting)]
    given = [
        marked_attachment(cleo),
        marked_attachment(cleo, message=run.question),
        marked_attachment(cleo, queued=waiting),
    ]
    theirs = {
        "thread_id": [thread.pk],
        "message_id": [message.pk for message in thread.messages.all()],
        "queued_id": [waiting.pk],
        "attachment_id": [image.pk for image in images],
        "thread_file_id": [file.pk for file in given],
        "run_id": [run.pk],
        "number": ["1"],
    }
    owner, wrong = signed_in(own.person), []

    for address in named(OBJECTS):
        if set(address.variables) & set(theirs) and address.name not in LINKS:
            for path in address.paths({"gpt_id": [gpt.pk], **theirs}):
                for way, response in asked(owner, path).items():
                    if response.status_code not in (404, 405):
                        wrong.append(f"{way} {path}: {response.status_code}")

    assert wrong == []


def test_the_builder_and_the_default_gpt_are_nobodys_to_edit(own, mo):
    ids = [builtin.builder_gpt().pk, builtin.default_gpt().pk]
    editing = [one for one in named(OBJECTS) if one.name.startswith("builder:")]
    client, wrong = signed_in(mo), []

    for address in editing:
        for path in address.paths({**own.values, "gpt_id": ids}):
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
    said = [f"{word} {SECRET}" for word in ("question", "answer", "step", "waiting", "passage")]

    for path in admin_paths(own):
        page = client.get(path, follow=True).content.decode(errors="replace")
        wrong += [f"{path}: {words}" for words in said if words in page]

    assert wrong == []


def admin_paths(own: Ada) -> list[str]:
    """Every page of the admin but its doors, the pages about an object for each object that there is."""
    anything = {"object_id": [own.person.pk], "app_label": ["gpts"], "content_type_id": ["1"], "id": [own.person.pk]}
    objects = {
        f"admin:{model._meta.app_label}_{model._meta.model_name}": [
            str(pk) for pk in model._default_manager.values_list("pk", flat=True)
        ]
        for model in admin.site._registry
    }
    doors = {"admin:login", "admin:logout", "admin:None"}
    return [
        path
        for one in addresses()
        if of_the_admin(one) and one.name not in doors
        for path in one.paths({**anything, "object_id": objects.get(one.name.rpartition("_")[0]) or [own.person.pk]})
    ]
