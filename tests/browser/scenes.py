"""Every page of the site in the states it can have, as scenes that a browser can be shown (see in_process.py).

An area is a function that makes its rows and yields its scenes one by one: what it does after a scene holds for the
next ones only.
"""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from typing import Any

from allauth.account.decorators import verified_email_required
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.socialaccount.adapter import get_adapter as identity_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path, reverse
from django.utils import timezone
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData
from playwright.sync_api import Page, expect

from gptbuilder import urls
from gptbuilder.accounts import closing, notifications, sign_in_links
from gptbuilder.accounts.adapter import AccountAdapter
from gptbuilder.accounts.models import DataExport, User
from gptbuilder.accounts.views import BACKEND
from gptbuilder.conversations import attachments, guests, keeping, queueing, sharing, turns
from gptbuilder.conversations.models.feedback import Feedback
from gptbuilder.conversations.models.message import Message
from gptbuilder.conversations.models.run import Run
from gptbuilder.conversations.models.step import RunStep
from gptbuilder.conversations.models.thread import Thread
from gptbuilder.gpts import access, builtin, deleting, drafts, versions
from gptbuilder.gpts.models import GPT
from gptbuilder.providers import checking, editing, entries, getting_ready
from gptbuilder.providers.models import ConnectionCheck, Provider
from gptbuilder.web import markdown
from tests import world
from tests.browser.in_process import HOST
from tests.upstream import png

ANSWER = (
    "## Two hikes\n\n| Hike | km |\n| --- | --: |\n| Lake | 4 |\n| Cave | 6 |\n\n```python\nprint('boots')  # both\n"
    "```\n\n- one, with `code`\n- two, [timetable](https://example.org/x)\n\n> Mind the *step*.\n\n"
    "The slope is $\\frac{h}{l}$.\n\n$$\\sum_{i=1}^n i = \\frac{n(n+1)}{2}$$"
)


@dataclass(frozen=True)
class Opened:
    """What is opened on a page: `act` does it, and `part` is there then. On a narrow screen alone when it is not there
    on a wide one."""

    name: str
    act: Callable[[Page], None]
    part: str
    is_narrow: bool = False


@dataclass(frozen=True)
class Scene:
    """A page as somebody sees it; with `posted`, the page that answers this form."""

    name: str
    who: Client
    path: str
    posted: Mapping[str, Any] | None = None
    opens: Sequence[Opened] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


# --- How things are opened -----------------------------------------------------------------------


def pressed(name: str, button: str, shown: str, *, is_narrow: bool = False) -> Opened:
    """A button, and what must be there after it was pressed. Both are selectors."""

    def press(page: Page) -> None:
        page.locator(button).first.click()
        expect(page.locator(shown).first).to_be_visible()

    return Opened(name, press, shown, is_narrow)


def chosen(name: str, menu_button: str, choice: str, shown: str) -> Opened:
    """A choice of a menu."""

    def choose(page: Page) -> None:
        page.locator(menu_button).first.click()
        page.locator(f":popover-open {choice}").first.click()
        expect(page.locator(shown).first).to_be_visible()

    return Opened(name, choose, shown)


def typed(name: str, keys: str, shown: str) -> Opened:
    def press(page: Page) -> None:
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(keys)
        expect(page.locator(shown).first).to_be_visible()

    return Opened(name, press, shown)


MENU = ":popover-open"
ACCOUNT_MENU = pressed("account menu", "[popovertarget=account-menu]", MENU)


# --- People --------------------------------------------------------------------------------------


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def proven(person: User) -> Client:
    """Who has just said the password again."""
    client = signed_in(person)
    client.post(reverse("account_reauthenticate"), {"password": world.PASSWORD})
    return client


def guest() -> tuple[Client, User]:
    client = Client()
    person = User.objects.create_user(None, kind=User.Kind.GUEST)
    session = client.session
    session[guests.SESSION_KEY] = person.pk
    session.save()
    return client, person


def arriving(there: Mapping[str, Any]) -> Client:
    """Who comes back from the identity provider of these settings, which told a name and no address."""
    client = Client()
    session = client.session
    with override_settings(**there):
        provider = identity_adapter().get_provider(RequestFactory().get("/"), "lakeside")
        account = SocialAccount(provider="lakeside", uid="dora")
        login = SocialLogin(user=User(name="Dora"), account=account, provider=provider)
        session["socialaccount_sociallogin"] = login.serialize()
    session.save()
    return client


# --- Conversations -------------------------------------------------------------------------------


WISH = {
    "to": "priya.raman@example.com",
    "text": "Hi Priya, I have to leave our budget meeting at 11:30 today. 能先讲预测吗？" * 3,
    "minutes_early": 30,
    "is_urgent": False,
    "labels": ["work", {"colour": "blue"}],
}


def answered(run: Run, text: str = ANSWER, status: str = Run.Status.COMPLETED, code: str = "") -> Run:
    """The run ended with this text, or without one."""
    Run.objects.filter(pk=run.pk).update(status=status, error_code=code)
    if text:
        run.thread.head = Message.objects.create(
            thread=run.thread,
            parent_id=run.question_id,
            role="assistant",
            text=text,
            html=markdown.render(text),
            run=run,
        )
        run.thread.save()
    run.refresh_from_db()
    return run


def turn(thread: Thread, text: str, images: int = 0) -> Run:
    given = [attachments.receive(thread.owner, BytesIO(png(64)), timezone.now()).pk for _ in range(images)]
    return turns.start_turn(thread, thread.owner, text, timezone.now(), given)


def long_chat(owner: User, gpt: GPT) -> Thread:
    """Branches, images, opinions, an answer that was stopped and one that failed."""
    thread = turns.start_thread(owner, gpt)
    answered(turn(thread, "Where to?", images=2))
    first = thread.messages.order_by("pk")[0]
    answered(turns.edit(first, owner, "Where to on Sunday, and how do we get there?", timezone.now()))
    answered(turns.regenerate(thread, owner, timezone.now()))
    assert thread.head
    Feedback.objects.create(message=thread.head, person=owner, rating="up")
    answered(turn(thread, "And when it rains?"), "A museum, then", Run.Status.CANCELLED)
    answered(turn(thread, "下雨天带孩子去哪里走走？"), "**语气：**温和。")
    answered(turn(thread, "And with a dog?"), "", Run.Status.FAILED, "unreachable")
    return thread


def asking_chat(owner: User, gpt: GPT) -> Thread:
    """An answer that waits for its person: a call that may be allowed for good, and one that may not."""
    thread = turns.start_thread(owner, gpt)
    run = turn(thread, "Let Priya know that I leave half an hour early. 还有牙医的账单。")
    RunStep.objects.create(
        run=run, position=1, kind="message_creation", attempt=1, text="I will write to **Priya**.",
        started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    wishes = [
        ("getSchedule", "The day's events", {}, ["allowed", "always", "declined"]),
        ("sendMessage", "Send a message to a guest", WISH, ["allowed", "declined"]),
    ]
    for number, (name, summary, arguments, decisions) in enumerate(wishes, 2):
        needs = {"kind": "consent", "host": "calendar.example.com", "name": name, "summary": summary}
        RunStep.objects.create(
            run=run, position=number, kind="tool_calls", tool=name, call_id=f"call_{number}", attempt=1,
            arguments=json.dumps(arguments), started_at=timezone.now(),
            needs={**needs, "decisions": decisions, "privacy_url": "https://calendar.example.com/privacy"},
        )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(status="requires_action", paused_attempt=1, attempt=1)
    return thread


def builder_turn(gpt: GPT, thread: Thread, said: str, *, locked: Sequence[str] = (), **after: object) -> Run:
    """A turn of the builder that wrote this into the draft, and left locked fields alone."""
    run = turn(thread, said)
    changes = drafts.apply(gpt.pk, after)
    data = {
        "changes": [{"field": change.field, "before": change.before, "after": change.after} for change in changes],
        "locked": list(locked),
    }
    RunStep.objects.create(
        run=run, position=1, kind="tool_calls", tool="update_behavior", attempt=1, data=data, started_at=timezone.now()
    )
    return answered(run, "I wrote it. Should it ask **how old** the children are?")


# --- Before one is inside ------------------------------------------------------------------------


def doors() -> Iterator[Scene]:
    ada, nobody, now = world.person("Ada"), Client(), timezone.now()
    yield Scene("landing page", nobody, "/")
    yield Scene("connect a model", nobody, reverse("web:connect_a_model"))
    login, signup = reverse("account_login"), reverse("account_signup")
    yield Scene("sign in", nobody, login)
    yield Scene("sign in, refused", nobody, login, {"login": "ada@example.org", "password": "wrong"})
    yield Scene("sign up", nobody, signup)
    yield Scene("sign up, refused", nobody, signup, {"name": "Ada", "email": "ada", "password1": "1234"})
    closed = {"ACCOUNT_ADAPTER": "tests.browser.scenes.ClosedAdapter"}
    yield Scene("sign up, closed", nobody, signup, settings=closed)
    yield Scene("forgotten password", nobody, reverse("account_reset_password"))
    yield Scene("forgotten password, refused", nobody, reverse("account_reset_password"), {"email": "ada"})
    yield Scene("link is sent", nobody, reverse("account_reset_password_done"))
    key = {"uidb36": user_pk_to_url_str(ada), "key": default_token_generator.make_token(ada)}
    yield Scene("new password", nobody, reverse("account_reset_password_from_key", kwargs=key))
    yield Scene("link is old", Client(), reverse("account_reset_password_from_key", kwargs={**key, "key": "old-1"}))
    yield Scene("password is changed", nobody, reverse("account_reset_password_from_key_done"))
    yield Scene("look into your mailbox", nobody, reverse("account_email_verification_sent"))
    yield Scene("account is closed", nobody, reverse("account_inactive"))
    yield from _links(ada, nobody)
    yield Scene("sign-in link", nobody, reverse("accounts:sign_in", args=[sign_in_links.make(ada, now)]))
    yield Scene("sign-in link, old", nobody, reverse("accounts:sign_in", args=["old"]))
    yield from _with_an_identity_provider(nobody)
    yield from _second_step(ada)


def _links(ada: User, nobody: Client) -> Iterator[Scene]:
    """What stands behind the links of mails."""
    unsubscribe = reverse("accounts:unsubscribe", args=[notifications.unsubscribe_token(ada, "export_ready")])
    yield Scene("unsubscribe", nobody, unsubscribe)
    yield Scene("unsubscribed", nobody, unsubscribe, {})
    yield Scene("link of a mail, old", nobody, reverse("accounts:unsubscribe", args=["old"]))
    address = EmailAddress.objects.create(user=ada, email="ada@lake.example", verified=False)
    confirm = EmailConfirmationHMAC(address).key
    yield Scene("confirm address", nobody, reverse("account_confirm_email", args=[confirm]))
    yield Scene("confirm address, old", nobody, reverse("account_confirm_email", args=["old"]))
    address.delete()
    ben = world.person("Ben")
    User.objects.filter(pk=ben.pk).update(is_active=False, deletion_due_at=timezone.now() + timedelta(days=1))
    ben.refresh_from_db()
    yield Scene("keep my account", nobody, reverse("accounts:reopen", args=[closing.reopen_token(ben)]))


def _with_an_identity_provider(nobody: Client) -> Iterator[Scene]:
    with openid() as there:
        yield Scene("sign in, with a provider", nobody, reverse("account_login"), settings=there)
        yield Scene("sign up, with a provider", nobody, reverse("account_signup"), settings=there)
        enter = reverse("openid_connect_login", args=["lakeside"])
        yield Scene("ask before leaving", nobody, enter, settings=there)
        yield Scene("leaving for a provider", nobody, enter, {}, settings=there)
        yield Scene("provider is away", nobody, enter, {}, settings=openid_at("http://127.0.0.1:9"))
        yield Scene("signing in there, cancelled", nobody, reverse("socialaccount_login_cancelled"), settings=there)
        yield Scene("signing in there, failed", nobody, reverse("socialaccount_login_error"), settings=there)
        yield Scene("the provider knows no address", arriving(there), reverse("socialaccount_signup"), settings=there)


def _second_step(ada: User) -> Iterator[Scene]:
    """Two-step sign-in asks after the password; so does a page about keys, of who is inside."""
    RecoveryCodes.activate(ada)
    Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={"secret": "x"})
    waiting = Client()
    waiting.post(reverse("account_login"), {"login": ada.email, "password": world.PASSWORD})
    yield Scene("one more step", waiting, reverse("mfa_authenticate"))
    yield Scene("is it you: code", signed_in(ada), reverse("mfa_reauthenticate"))


# --- One's account -------------------------------------------------------------------------------


def account() -> Iterator[Scene]:
    ada = world.person("Ada")
    inside = proven(ada)
    settings = reverse("accounts:settings")
    yield Scene("settings", inside, settings, opens=[ACCOUNT_MENU])
    yield Scene("settings, refused", inside, reverse("accounts:email"), {"email": "ada", "password": "wrong"})
    yield Scene("sign out", inside, reverse("account_logout"))
    yield Scene("change the password", inside, reverse("account_change_password"))
    wrong = {"oldpassword": "wrong", "password1": "1234"}
    yield Scene("change the password, refused", inside, reverse("account_change_password"), wrong)
    yield Scene("is it you: password", signed_in(ada), reverse("account_reauthenticate"))
    yield from _addresses(ada, inside)
    yield from _keys(ada, inside)
    yield from _copies(ada, inside)
    yield from _connections(inside)
    yield from _leaving(inside)


def _addresses(ada: User, inside: Client) -> Iterator[Scene]:
    verified = {"ACCOUNT_EMAIL_VERIFICATION": "mandatory"}
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True, primary=True)
    yield Scene("settings with a verified address", inside, reverse("accounts:settings"), settings=verified)
    yield Scene("change the address", inside, reverse("account_email"), settings=verified)
    ours = {**verified, "ROOT_URLCONF": "tests.browser.scenes"}
    yield Scene("confirm the address first", signed_in(world.person("Ben")), "/for-the-verified/", settings=ours)
    EmailAddress.objects.create(user=ada, email="ada@lake.example", verified=False)
    yield Scene("an address waits", inside, reverse("account_email"), settings=verified)


def _keys(ada: User, inside: Client) -> Iterator[Scene]:
    activate = reverse("mfa_activate_totp")
    yield Scene("two-step set-up", inside, activate)
    yield Scene("two-step set-up, refused", inside, activate, {"code": "12"})
    Authenticator.objects.create(user=ada, type=Authenticator.Type.TOTP, data={"secret": "x"})
    yield Scene("make recovery codes", inside, reverse("mfa_generate_recovery_codes"))
    inside.post(reverse("mfa_generate_recovery_codes"))
    yield Scene("recovery codes", inside, reverse("mfa_view_recovery_codes"))
    yield Scene("recovery codes, seen", inside, reverse("mfa_view_recovery_codes"))
    key = Authenticator.objects.create(user=ada, type="webauthn", data={"name": "Phone", "credential": passkey()})
    yield Scene("settings with keys", inside, reverse("accounts:settings"))
    yield Scene("turn two steps off", inside, reverse("mfa_deactivate_totp"))
    yield Scene("add a passkey", inside, reverse("mfa_add_webauthn"))
    yield Scene("rename a passkey", inside, reverse("mfa_edit_webauthn", args=[key.pk]))
    yield Scene("remove a passkey", inside, reverse("mfa_remove_webauthn", args=[key.pk]))
    yield Scene("is it you: passkey", signed_in(ada), reverse("mfa_reauthenticate_webauthn"))


def _copies(ada: User, inside: Client) -> Iterator[Scene]:
    settings = reverse("accounts:settings")
    copy = DataExport.objects.create(user=ada, done=1, total=3)
    yield Scene("settings while a copy is made", inside, settings)
    ready = {"status": DataExport.Status.READY, "expires_at": timezone.now() + timedelta(days=1)}
    DataExport.objects.filter(pk=copy.pk).update(**ready)
    signed_in(ada).get(settings)
    yield Scene("settings with a copy and a session elsewhere", inside, settings)
    DataExport.objects.filter(pk=copy.pk).update(status=DataExport.Status.FAILED)
    yield Scene("settings after a copy failed", inside, settings)


def _connections(inside: Client) -> Iterator[Scene]:
    with openid() as there:
        yield Scene("settings with a provider", inside, reverse("accounts:settings"), settings=there)
        yield Scene(
            "this sign-in stays", inside, reverse("socialaccount_connections"), {"account": "1"}, settings=there
        )


def _leaving(inside: Client) -> Iterator[Scene]:
    """Who has no password sets one, and is sent a link before the account is deleted."""
    dora = User.objects.create_user("dora@example.org", None, name="Dora")
    yield Scene("settings without a password", signed_in(dora), reverse("accounts:settings"))
    yield Scene("set a password", signed_in(dora), reverse("account_set_password"))
    delete = reverse("accounts:delete")
    yield Scene("delete by mail", signed_in(dora), delete)
    yield Scene("delete by mail, sent", signed_in(dora), delete, {})
    yield Scene("delete", inside, delete)
    confirm = signed_in(dora)
    dora.refresh_from_db()
    yield Scene("confirm it", confirm, reverse("accounts:confirm_delete", args=[closing.confirm_token(dora)]))
    mo = world.person("Mo")
    yield Scene("the only administrator stays", proven(mo), delete, {})
    yield Scene("deleted", inside, delete, {})


# --- Chats ---------------------------------------------------------------------------------------


def chats() -> Iterator[Scene]:
    ada = world.person("Ada")
    inside, now = signed_in(ada), timezone.now()
    yield Scene("first chat", inside, "/")
    yield Scene("nothing kept", inside, reverse("conversations:kept"))
    yield Scene("nothing to search", inside, reverse("conversations:search"))
    gpt = world.shared_trail_planner(ada)
    yield Scene("a chat that asks", signed_in(ada), reverse("conversations:thread", args=[asking_chat(ada, gpt).pk]))
    thread = long_chat(ada, gpt)
    kept = [long_chat(ada, builtin.default_gpt()) for _ in range(3)]
    keeping.rename(kept[0], "A title that is rather long, so long that no list has room for all of it at once")
    yield Scene("new chat", inside, reverse("conversations:new"), opens=_over_a_chat())
    yield Scene("a GPT", inside, reverse("conversations:gpt", args=[gpt.pk]))
    yield Scene("chat", inside, reverse("conversations:thread", args=[thread.pk]), opens=_in_a_chat(thread))
    share = sharing.publish(thread, names_owner=True)
    shared_by = [
        chosen("shared chat", "[popovertarget=open-chat-menu]", "[data-opens=share-dialog]", "#share-chat input")
    ]
    yield Scene("shared chat of one's own", inside, reverse("conversations:thread", args=[thread.pk]), opens=shared_by)
    yield Scene("chat as a reader sees it", Client(), reverse("conversations:shared", args=[share.token]))
    cleo = signed_in(world.person("Cleo"))
    yield Scene("chat as a member reads it", cleo, reverse("conversations:shared", args=[share.token]))
    yield from _while_it_answers(ada, gpt)
    keeping.archive(kept[0], now)
    keeping.delete(kept[1], now)
    sharing.publish(kept[2], names_owner=False)
    yield Scene("kept chats", inside, reverse("conversations:kept"))
    yield Scene("found", inside, reverse("conversations:search", query={"q": "rains"}))
    yield Scene("nothing found", inside, reverse("conversations:search", query={"q": "elephant"}))
    yield from _behind_a_link(gpt, cleo)
    deleting.delete(gpt, now)
    yield Scene("its GPT is deleted", inside, reverse("conversations:thread", args=[thread.pk]))


def _over_a_chat() -> list[Opened]:
    return [
        ACCOUNT_MENU,
        pressed("menu of a chat", "#lists [popovertarget^=menu-]", f"{MENU} .choice"),
        typed("search", "Control+k", "#search-dialog[open] #found a"),
        typed("shortcuts", "Shift+?", "#shortcuts-dialog[open]"),
        pressed("sidebar", "[popovertarget=sidebar]", "#sidebar:popover-open", is_narrow=True),
    ]


def _in_a_chat(thread: Thread) -> list[Opened]:
    said = thread.path()
    return [
        pressed("menu of this chat", "[popovertarget=open-chat-menu]", MENU),
        chosen("share", "[popovertarget=open-chat-menu]", "[data-opens=share-dialog]", "#share-chat form"),
        chosen("rename", "[popovertarget=open-chat-menu]", "[data-rename]", ".chat-bar input"),
        pressed("what is wrong", f"#down-{said[1].pk}", f"{MENU} form"),
        pressed("enlarged image", ".images a", "dialog.enlarged[open]"),
        pressed("other words", f"#edit-{said[0].pk}", ".edition textarea"),
    ]


def _while_it_answers(ada: User, gpt: GPT) -> Iterator[Scene]:
    """The answer is being made, and two messages wait for it."""
    thread = turns.start_thread(ada, gpt)
    turn(thread, "How long does it take?")
    for text in ("And back?", "下雨呢？"):
        queueing.say(thread, ada, text, timezone.now())
    waiting = [pressed("change what waits", ".queue [id^=change-]", ".queue .edition textarea")]
    yield Scene("messages wait", signed_in(ada), reverse("conversations:thread", args=[thread.pk]), opens=waiting)
    answered(thread.runs.get(), "", Run.Status.FAILED, "lost")
    yield Scene("messages wait in vain", signed_in(ada), reverse("conversations:thread", args=[thread.pk]))
    thread.queued.all().delete()


def _behind_a_link(gpt: GPT, cleo: Client) -> Iterator[Scene]:
    link = reverse("conversations:link", args=[gpt.link_token])
    yield Scene("link", Client(), link)
    yield Scene("link, for a member", cleo, link)
    visitor, person = guest()
    access.remember_visit(gpt, person)
    thread = turns.start_thread(person, gpt)
    answered(turn(thread, "Where to?"))
    yield Scene("chat of a guest", visitor, reverse("conversations:thread", args=[thread.pk]))


# --- Making GPTs ---------------------------------------------------------------------------------


def building() -> Iterator[Scene]:
    ada = world.person("Ada")
    inside = signed_in(ada)
    yield Scene("no GPTs yet", inside, reverse("builder:gpts"))
    yield Scene("examples", inside, reverse("builder:examples"))
    yield Scene("examples in Chinese", inside, reverse("builder:examples", query={"language": "zh-hans"}))
    yield Scene("example", inside, reverse("builder:example", args=["family-hikes"]))
    empty = drafts.create(ada)
    publish = pressed("publish too early", "#publish-button", "#publish[open] #checks .badge")
    yield Scene("a new GPT", inside, reverse("builder:create", args=[empty.pk]), opens=[publish])
    gpt = world.trail_planner(ada)
    yield from _draft(ada, inside, gpt)
    yield from _published(ada, inside, gpt)
    gone = world.trail_planner(ada)
    deleting.delete(gone, timezone.now())
    deleted = pressed("deleted GPTs", "details.deleted summary", "details.deleted[open] .item")
    more = pressed("more for a GPT", "[popovertarget^=more-]", MENU)
    yield Scene("my GPTs", inside, reverse("builder:gpts"), opens=[more, deleted, ACCOUNT_MENU])


def _draft(ada: User, inside: Client, gpt: GPT) -> Iterator[Scene]:
    thread = turns.start_thread(ada, builtin.builder_gpt(), purpose="builder", subject=gpt)
    builder_turn(gpt, thread, "A hiking guide", name="Lake Planner", instructions="Ask how old they are.\nBe brief.")
    undone = builder_turn(gpt, thread, "Shorter", locked=["name"], description="Lakes.", starters=["Where to?"])
    inside.post(reverse("builder:reversal", args=[gpt.pk, undone.pk]))
    preview = turns.start_thread(ada, gpt, purpose="preview")
    answered(turn(preview, "Where to?"))
    create = reverse("builder:create", args=[gpt.pk])
    opens = [
        pressed("what a turn changed", ".changes summary", ".changes[open] .diff"),
        pressed("publish", "#publish-button", "#publish[open] #checks"),
        pressed("not shared", "#share-button", MENU),
        pressed("no history", "#history-button", "#versions:not([aria-busy])"),
        pressed("more", "#more-button", MENU),
        pressed("preview", ".tabs [href='#preview']", "#preview", is_narrow=True),
    ]
    yield Scene("talking to the builder", inside, create, opens=opens)
    drafts.lock(gpt.pk, "name")
    yield Scene("configure", inside, reverse("builder:configure", args=[gpt.pk]))
    models = {"name": "Alpha", "base_url": "http://127.0.0.1:9/v1"}
    provider = Provider.objects.create(**models)
    editing.add_models(provider, ["vast", "quick"])
    entries.forget()
    drafts.apply(gpt.pk, {"model": "gone"})
    refused = Opened("a description that is refused", _refused, "#configure")
    yield Scene("configure with models", inside, reverse("builder:configure", args=[gpt.pk]), opens=[refused])
    provider.delete()
    entries.forget()


def _refused(page: Page) -> None:
    """The field takes no more than it may; what it is filled with by a script is refused by the server."""
    page.locator("#description").evaluate("field => { field.removeAttribute('maxlength'); }")
    page.locator("#description").fill("lake " * 200)
    expect(page.locator("#description-problem svg")).to_be_visible()


def _published(ada: User, inside: Client, gpt: GPT) -> Iterator[Scene]:
    first = versions.publish(gpt, ada, timezone.now())
    access.share(gpt, GPT.Audience.LINK)
    drafts.apply(gpt.pk, {"instructions": "Ask how old they are.\nSuggest a lake.", "description": "Lakes for all."})
    create = reverse("builder:create", args=[gpt.pk])
    opens = [
        pressed("shared", "#share-button", "#share .link"),
        pressed("history", "#history-button", "#versions .acts a"),
    ]
    yield Scene("published, with changes", inside, create, opens=opens)
    second = versions.publish(GPT.objects.get(pk=gpt.pk), ada, timezone.now())
    compared = reverse("builder:comparison", args=[gpt.pk, second.pk])
    yield Scene("first version", inside, reverse("builder:comparison", args=[gpt.pk, first.pk]))
    yield Scene("versions compared", inside, compared)
    yield Scene("nothing differs", inside, f"{compared}?with=draft")
    drafts.apply(gpt.pk, {"description": "Lakes and caves."})
    yield Scene("draft compared", inside, f"{compared}?with=draft")


# --- Administration ------------------------------------------------------------------------------


def administration() -> Iterator[Scene]:
    mo = world.person("Mo")
    staff = signed_in(mo)
    ready, models = reverse("providers:ready"), reverse("providers:models")
    yield Scene("getting ready", staff, ready)
    getting_ready.dismiss(is_dismissed=True)
    yield Scene("the list is put away", staff, ready)
    yield Scene("no provider", staff, models)
    yield Scene("new provider", staff, reverse("providers:new"))
    yield Scene("new provider, refused", staff, reverse("providers:new"), {"name": "", "base_url": "ftp://x"})
    yield from _providers(staff, models)
    operation = reverse("operation:operation")
    yield Scene("nothing was answered yet", staff, operation)
    hours = pressed("hours", ".operation-hours summary", ".operation-hours[open] table")
    _answers(world.person("Ada"))
    yield Scene("operation", staff, operation, opens=[hours])
    demonstration = {"LOCAL_MODEL": True}
    yield Scene("a demonstration answers", staff, "/", settings=demonstration)


def _providers(staff: Client, models: str) -> Iterator[Scene]:
    provider = Provider(name="Alpha", base_url="http://127.0.0.1:9/v1", listed_models=["vast", "quick", "small"])
    with override_settings(FIELD_KEYS=[f"1:{'ab' * 32}"]):
        provider.seal_key("sk-x")
    editing.save(provider)
    editing.add_models(provider, ["vast", "quick"])
    provider.models.filter(name="vast").update(checked_at=timezone.now(), vision=True, json_schema=False)
    check = checking.start(provider, "vast", timezone.now())
    one = reverse("providers:provider", args=[provider.pk])
    sealed = {"FIELD_KEYS": [f"1:{'ab' * 32}"]}
    yield Scene("a provider is tested", staff, one, settings=sealed)
    steps = {"models": {"state": "works", "names": ["vast"]}, "answer": {"state": "error", "code": "timed_out"}}
    ConnectionCheck.objects.filter(pk=check.pk).update(steps=steps, finished_at=timezone.now())
    opened = [
        pressed("a model", ".models summary", ".models details[open] form"),
        pressed("how long to wait", "details.more summary", "details.more[open] input"),
    ]
    yield Scene("a provider", staff, one, opens=opened, settings=sealed)
    yield Scene("its key cannot be opened", staff, one)
    gone = Provider.objects.create(name="Gone", base_url="http://gone.test/v1")
    editing.delete(gone, timezone.now())
    Provider.objects.create(name="Beta", base_url="http://beta.test/v1", is_enabled=False)
    yield Scene("providers", staff, models, settings=sealed)
    Provider.objects.all().delete()


def _answers(ada: User) -> None:
    thread = turns.start_thread(ada, builtin.default_gpt())
    now = timezone.now()
    for number, status in enumerate(["completed", "completed", "cancelled", "failed"]):
        run = answered(turn(thread, "Where to?"), "There.", status, "unreachable" if status == "failed" else "")
        asked_at = now - timedelta(hours=number, minutes=2)
        Run.objects.filter(pk=run.pk).update(
            created_at=asked_at, first_token_at=asked_at + timedelta(seconds=1), finished_at=asked_at, output_tokens=20
        )


# --- When something is wrong ---------------------------------------------------------------------


def errors() -> Iterator[Scene]:
    nobody = Client(raise_request_exception=False)
    broken = {"ROOT_URLCONF": "tests.browser.scenes"}
    yield Scene("not found", nobody, "/nowhere/")
    for code in (400, 403, 500):
        yield Scene(str(code), nobody, f"/broken/{code}/", settings=broken)
    yield Scene("open for too long", Client(enforce_csrf_checks=True), reverse("account_login"), {"login": "x"})
    often = {"ACCOUNT_RATE_LIMITS": {"signup": "0/m/ip"}}
    yield Scene("too often", nobody, reverse("account_signup"), {"email": "a@b.example"}, settings=often)


def _bad(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def _forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def _broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [
    *urls.urlpatterns,
    path("broken/400/", _bad, name="bad"),
    path("broken/403/", _forbidden, name="forbidden"),
    path("broken/500/", _broken, name="broken"),
    path("for-the-verified/", verified_email_required(_broken), name="for_the_verified"),
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


# --- What some pages need ------------------------------------------------------------------------


def openid_at(address: str) -> dict[str, Any]:
    app = {
        "provider_id": "lakeside",
        "name": "Lakeside",
        "client_id": "x",
        "secret": "x",
        "settings": {"server_url": f"{address}/.well-known/openid-configuration"},
    }
    return {"SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}}


@contextmanager
def openid() -> Iterator[dict[str, Any]]:
    """The settings of a site that knows a provider; what the provider says of itself is served."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
            names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
            body = json.dumps({"issuer": here, **{name: f"{here}/{name}" for name in names}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Says) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield openid_at(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def passkey() -> dict[str, Any]:
    """What a browser tells when it has made a passkey."""

    def written(data: bytes) -> str:
        return urlsafe_b64encode(data).decode().rstrip("=")

    number = b"\1" * 16
    public = ES256({1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\2" * 32})
    credential = AttestedCredentialData.create(b"\0" * 16, number, public)
    data = AuthenticatorData.create(b"\0" * 32, AuthenticatorData.FLAG.AT, 0, credential)
    client = CollectedClientData.create(CollectedClientData.TYPE.CREATE, b"challenge", HOST)
    attestation = AttestationObject.create("none", data, {})
    response = {"clientDataJSON": written(client), "attestationObject": written(attestation)}
    return {"id": written(number), "rawId": written(number), "type": "public-key", "response": response}


class ClosedAdapter(AccountAdapter):
    """Nobody can sign up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


AREAS: dict[str, Callable[[], Iterator[Scene]]] = {
    area.__name__: area for area in (doors, account, chats, building, administration, errors)
}
