"""From nothing to a GPT that a stranger talks to, over HTTP, with a scripted model."""

from __future__ import annotations

from tests.site import Site, Visitor
from tests.upstream import Text, ToolCalls

WISH = "A guide for weekend hikes with children"
DRAFT = {
    "name": "Trail Planner",
    "description": "Day hikes a family will finish smiling.",
    "instructions": "Ask how old the children are before you suggest a hike.",
    "starters": ["Five flat kilometres with a lake", "下雨天带孩子去哪里走走？", "Somewhere with a cave"],
}


def test_a_person_makes_a_gpt_by_talking_and_a_guest_uses_it_and_keeps_the_chat(site: Site) -> None:
    ada = site.member("Ada")
    gpt = ada.new_gpt()

    said, changed = built(site, ada, gpt)
    assert "I named it Trail Planner" in said
    assert changed == list(DRAFT)
    form = ada.get(f"/gpts/{gpt}/edit/configure/")
    assert all(
        value in form for value in [DRAFT["name"], DRAFT["description"], DRAFT["instructions"], *DRAFT["starters"]]
    )

    assert "How old are the children?" in previewed(site, ada, gpt)

    link = ada.publish(gpt)
    ben = site.visitor()
    page = ben.get(link)
    assert DRAFT["name"] in page
    assert DRAFT["instructions"] not in page

    chat = asked_by_a_guest(site, ben, link)
    ada.get(chat, status=404)
    site.visitor().get(chat, status=404)

    landed = ben.sign_up("Ben", next=chat)
    assert landed.url.path == chat
    assert "Take the lake path." in landed.text
    assert "With a pushchair?" in landed.text
    site.script.default = Text("Yes, it is flat.")
    assert "Yes, it is flat." in ben.say(f"{chat}messages/", "Really?").answer()


def built(site: Site, ada: Visitor, gpt: str) -> tuple[str, list[str]]:
    """What the builder said, and which fields it changed."""
    site.script.script(ToolCalls([("update_behavior", DRAFT)]), Text("I named it Trail Planner."))
    turn = ada.say(f"/gpts/{gpt}/edit/messages/", WISH)
    events = list(turn.follow())
    changed = [field for event in events if event.kind == "changed" for field in event.data["fields"]]
    assert [event.data["state"] for event in events if event.kind == "step"] == ["started", "finished"]
    return turn.answer(), changed


def previewed(site: Site, ada: Visitor, gpt: str) -> str:
    site.script.script(Text("How old are the children?"))
    answer = ada.say(f"/gpts/{gpt}/preview/messages/", "A hike for Sunday").answer()
    system = site.script.requests[-1]["messages"][0]
    assert system["role"] == "system"
    assert system["content"].endswith(DRAFT["instructions"])
    return answer


def asked_by_a_guest(site: Site, ben: Visitor, link: str) -> str:
    """The path of a chat in which a guest was answered, which is there after a reload."""
    site.script.script(Text("Take the lake path."))
    turn = ben.say(f"{link}chats/", "With a pushchair?")
    assert "Take the lake path." in turn.answer()
    reloaded = ben.get(turn.page)
    assert "Take the lake path." in reloaded
    assert "With a pushchair?" in reloaded
    return turn.page
