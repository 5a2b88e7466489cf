"""What axe finds: on every page of the site and on what opens over it, in light and in dark, wide and narrow.

No page can be forgotten: what the URL configuration and the folder of templates hold is compared with the scenes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from django.db import connections, transaction
from django.test import override_settings
from django.urls import Resolver404, resolve, reverse
from playwright.sync_api import Browser, Page, expect

from gptbuilder.providers import entries
from tests.addresses import addresses, of_the_admin
from tests.browser import scenes as scenes_of_pages
from tests.browser.in_process import InProcess
from tests.browser.scenes import Opened, Scene
from tests.browser.scenes_of_files import files
from tests.browser.window import answers, say
from tests.site import Site
from tests.upstream import Text

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
TEMPLATES = Path(__file__).parents[2] / "templates"
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AREAS = {**scenes_of_pages.AREAS, "files": files}
# axe leaves this one out unless it is asked for.
ALSO = {"target-size": {"enabled": True}}
# What a theme can change.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# Addresses that are no page, and why: what they give is a part of one, a file, or the way to another page.
PARTS = {
    "accounts:export_status", "builder:conversation", "builder:draft", "builder:messages", "builder:picture",
    "builder:preview", "builder:preview_conversation", "builder:preview_messages", "builder:preview_reset",
    "builder:cases", "builder:file", "builder:file_erasure", "builder:file_reading",
    "builder:file_replacement", "builder:file_return", "builder:file_rules", "builder:files", "conversations:file",
    "conversations:files", "knowledge:upload", "knowledge:uploads",
    "builder:versions", "builder:publication", "builder:audience", "builder:link", "builder:lock", "builder:reversal",
    "conversations:answer", "conversations:delivery", "conversations:edition", "conversations:feedback",
    "conversations:menu", "conversations:messages", "conversations:older", "conversations:question",
    "conversations:queue", "conversations:queued", "conversations:regeneration", "conversations:share",
    "conversations:start", "conversations:link_start", "conversations:title", "conversations:uploads",
    "conversations:archive", "conversations:deletion", "conversations:erasure", "providers:checks", "web:model_status",
}  # fmt: skip
FILES = {
    "accounts:download", "builder:file_content", "conversations:events", "conversations:export_all",
    "conversations:export_json", "conversations:export_markdown", "conversations:image", "conversations:shared_image",
    "conversations:shared_picture", "gpts:avatar", "gpts:picture", "mfa_download_recovery_codes", "mfa_login_webauthn",
    "operation:metrics", "web:healthz", "web:readyz",
}  # fmt: skip
WAYS = {
    "account_confirm_login_code", "accounts:end_other_sessions", "accounts:end_session", "accounts:export",
    "accounts:notification", "accounts:preferences", "accounts:profile", "builder:adoption", "builder:deletion",
    "builder:case_deletion", "builder:case_recovery", "builder:trials", "builder:duplicate", "builder:new",
    "builder:recovery", "builder:restoration", "conversations:branch",
    "conversations:cancellation", "conversations:continuation", "conversations:decision", "conversations:upload",
    "mfa_index", "mfa_list_webauthn", "openid_connect_callback", "providers:added_models", "providers:default",
    "providers:default_model", "providers:deletion", "providers:dismissal", "providers:model",
    "providers:model_removal", "providers:restoration", "providers:test_mail", "web:appearance", "web:language",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def in_a_loop_of_playwright(browser: Browser) -> Iterator[None]:
    """Playwright's loop runs in this thread; Django takes that for asynchronous code, which it is not."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    # Those of the loop, which nobody reaches when it has ended.
    connections.close_all()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
    if before is not None:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.mark.django_db
@pytest.mark.parametrize("area", AREAS)
def test_no_page_of_this_area_breaks_a_rule(area: str, browser: Browser):
    there = InProcess(browser, viewport=WIDE)
    found: dict[str, list[str]] = {}

    for scene in scenes(area):
        there.visit(scene.who, scene.path, scene.posted)
        found |= {scene.name: looked_at(there.page)}
        for opened in scene.opens:
            found |= {f"{scene.name}, {opened.name}": opened_up(there, scene, opened)}

    there.close()
    assert {name: broken for name, broken in found.items() if broken} == {}
    assert there.problems == []


def test_a_chat_in_which_an_answer_is_written_and_one_that_failed(site: Site, open_window):
    page = open_window(site.member("Ada"), viewport=WIDE).page
    site.script.script(Text("Two hikes, \n" * 20, token_delay=0.5))
    page.goto("/c/")
    say(page, "Where to?")
    expect(answers(page)).to_contain_text("Two")

    writing = looked_at(page)
    page.get_by_role("button", name="Stop").click()
    expect(answers(page)).to_contain_text("You stopped this answer.")

    assert (writing, looked_at(page)) == ([], [])


def test_a_rule_that_is_broken_is_found(browser: Browser):
    """Else everything above could pass because nothing is looked at."""
    page = browser.new_page()
    page.set_content("<main><h1>Title</h1><p style='color: #999; background: #fff'>Pale</p><input></main>")

    found = looked_at(page)

    page.close()
    assert {line.split(":")[0] for line in found} >= {"dark wide color-contrast", "light narrow label"}


# --- That nothing is forgotten -------------------------------------------------------------------


@pytest.mark.django_db
def test_every_page_of_the_site_is_in_a_scene():
    pages: set[str] = set()
    shown: set[str] = set()

    for scene in (scene for area in AREAS for scene in scenes(area)):
        response = scene.who.get(scene.path) if scene.posted is None else scene.who.post(scene.path, scene.posted)
        assert "<html" in response.text, f"{scene.name} is no page: {response.status_code}"
        pages |= {template.name for template in response.templates if template.name}
        with suppress(Resolver404):
            shown.add(resolve(urlsplit(scene.path).path).view_name)

    ours = {address.name for address in addresses() if not of_the_admin(address)}
    assert page_templates() - pages == set(), "no scene shows these templates"
    assert ours - shown == PARTS | FILES | WAYS, (
        "show the new address in tests/browser/scenes.py, or say that it is no page"
    )


@pytest.mark.django_db
def test_what_is_said_to_be_no_page_is_none(as_person, mo):
    wrong: set[str] = set()

    for address in addresses():
        if address.name in PARTS | FILES | WAYS and not address.variables:
            response = as_person(mo).get(reverse(address.name))
            if response.status_code == 200 and not response.streaming and "<html" in response.text:
                wrong.add(address.name)

    assert wrong == set()


def page_templates() -> set[str]:
    """Every template that is a whole page, without the frames that others extend."""
    sources = {str(file.relative_to(TEMPLATES)): file.read_text() for file in TEMPLATES.rglob("*.html")}
    frames = set(re.findall(r'{% extends "([^"]+)" %}', "".join(sources.values())))
    return {name for name, source in sources.items() if "{% extends" in source} - frames


# --- Looking -------------------------------------------------------------------------------------


def scenes(area: str) -> Iterator[Scene]:
    """The scenes of an area, each while its settings hold. What the area made is gone afterwards."""
    with transaction.atomic():
        for scene in AREAS[area]():
            with override_settings(**scene.settings):
                entries.forget()
                yield scene
        transaction.set_rollback(True)


def opened_up(there: InProcess, scene: Scene, opened: Opened) -> list[str]:
    there.page.set_viewport_size(NARROW if opened.is_narrow else WIDE)
    there.visit(scene.who, scene.path, scene.posted)
    opened.act(there.page)
    return looked_at(there.page, opened)


def looked_at(page: Page, opened: Opened | None = None) -> list[str]:
    """What is broken on the page as it is: by all rules at each width, by those of colours in both themes.

    Where something was opened, the page around it is looked at once, and then the opened part alone.
    """
    page.evaluate(AXE)
    found: list[str] = []
    for number, width in enumerate(widths(page, opened)):
        page.set_viewport_size(NARROW if width == "narrow" else WIDE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            options: dict[str, Any] = {"rules": ALSO} if scheme == "light" else {"runOnly": OF_COLOURS}
            is_whole = opened is None or (scheme == "light" and number == 0)
            found += [f"{scheme} {width} {line}" for line in broken(page, options, None if is_whole else opened.part)]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(WIDE)
    return found


def widths(page: Page, opened: Opened | None) -> list[str]:
    """At which the page is another one. A door is one column, everywhere the same."""
    if opened and opened.is_narrow:
        return ["narrow"]
    return ["wide"] if page.locator("body.doors").count() else ["wide", "narrow"]


def broken(page: Page, options: dict[str, Any], part: str | None = None) -> list[str]:
    """Rule, and where it is broken; on the whole page or on a part of it."""
    run = "([part, options]) => axe.run(part ?? document, options).then(results => results.violations)"
    rules = page.evaluate(run, [part, {**options, "resultTypes": ["violations"]}])
    return [f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}" for rule in rules]
