"""Passkeys and the identity provider in a real Chromium, under the content security policy of the site."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from gptbuilder.embedded import places
from tests.identity_provider.running import entry, identity_provider
from tests.site import PASSWORD, running_site

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Iterator[str]:
    """The address of a site that knows a provider. Passkeys need a name: localhost."""
    port = places.free_port()
    known = json.dumps([entry(f"http://127.0.0.1:{port}")])
    with running_site(OIDC_PROVIDERS=known) as site:
        address = site.url.replace("127.0.0.1", "localhost")
        callback = f"{address}/accounts/oidc/lakeside/login/callback/"
        with identity_provider(tmp_path_factory.mktemp("provider"), callback, port):
            yield address


@pytest.fixture
def page() -> Iterator[Page]:
    """A page that fails the test when the policy blocks something or a script breaks."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(locale="en-GB")
        page.set_default_timeout(60_000)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None,
        )
        yield page
        browser.close()
    assert not problems


def sign_up(page: Page, base: str, name: str) -> None:
    page.goto(f"{base}/accounts/signup/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(f"{name.lower()}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(lambda url: "signup" not in url)


def prove(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def with_a_finger(page: Page) -> None:
    """The authenticator of a phone: keeps passkeys, and the finger is always the right one."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_made_and_signs_in_without_a_password(page: Page, base: str):
    with_a_finger(page)
    sign_up(page, base, "Grace")
    page.goto(f"{base}/settings/")
    page.get_by_role("link", name="Add a passkey").click()
    prove(page)
    page.get_by_label("What you call it").fill("我的手机")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert len(download.value.path().read_text().split()) == 10
    page.goto(f"{base}/settings/")
    expect(page.get_by_text("我的手机").first).to_be_visible()
    page.context.clear_cookies()

    page.goto(f"{base}/accounts/login/?next=/settings/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.wait_for_url(f"{base}/settings/")

    # After the password, the passkey is the second step.
    page.context.clear_cookies()
    page.goto(f"{base}/accounts/login/?next=/settings/")
    page.get_by_label("E-mail").fill("grace@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{base}/settings/")

    page.get_by_role("link", name="Remove 我的手机").click()
    prove(page)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("我的手机")).to_have_count(0)


def test_without_a_passkey_the_page_says_that_it_did_not_work(page: Page, base: str):
    page.goto(f"{base}/accounts/login/")
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")

    page.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error()) }")
    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text("That did not work. Try again, or use another way.")).to_be_visible()


def test_the_provider_signs_in_although_no_form_may_end_elsewhere(page: Page, base: str):
    page.goto(f"{base}/accounts/login/?next=/settings/")
    page.get_by_role("button", name="Sign in with Lakeside").click()
    page.get_by_label("Name").fill("dora")
    page.get_by_label("Password").fill("dora's password")
    page.get_by_role("button", name="Sign in").click()

    page.wait_for_url(f"{base}/settings/")
    expect(page.get_by_role("button", name="Disconnect Lakeside")).to_be_visible()
