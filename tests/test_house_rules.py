"""The rules of the house that no other tool checks: each reads the tree and lists what breaks it.

A rule is a function from files (path → text) to sentences; `BROKEN` holds for each a file that must be found.
"""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from gptbuilder.conversations import stream

ROOT = Path(__file__).parents[1]
Files = Mapping[str, str]

MODULE_LINES = 400
LOOP_LINES = 120
CODE = (".py", ".js", ".css", ".html", ".sh", ".toml")
DRAWERS = {"utils", "helpers", "services", "managers", "common", "misc"}
# It does start services: PostgreSQL and Redis.
NAMED_FOR_WHAT_IT_DOES = {"gptbuilder/embedded/services.py", "tests/services.py"}
# Modules that open connections, and functions that do so under any module's name.
NETWORK = {
    "aiohttp", "ftplib", "http.client", "httpcore", "httpx", "httpx_aiohttp", "imaplib", "nntplib", "poplib", "redis",
    "requests", "sentry_sdk", "smtplib", "socket", "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
CONNECTING = {"create_connection", "create_unix_connection", "open_connection", "open_unix_connection", "urlopen"}
# Who may open which connections, by the beginning of the path, and where to. What a person names is fetched by
# lib/safe_http alone.
MAY_CONNECT = {
    "gptbuilder/gateway/": ({"httpx", "httpx_aiohttp", "aiohttp"}, "models' endpoints, which administrators give"),
    "gptbuilder/lib/safe_http/addresses.py": ({"socket"}, "name servers; asks the system for routes"),
    "gptbuilder/lib/safe_http/client.py": ({"httpcore"}, "what people name, through the guard of network.py"),
    "gptbuilder/lib/safe_http/network.py": ({"httpcore", "httpx", "socket"}, "addresses that were checked"),
    "gptbuilder/embedded/": ({"socket"}, "finds free ports; the services it started itself"),
    "gptbuilder/sandbox/": ({"socket"}, "pairs of sockets between its own processes, and attacks on its own cage"),
    "gptbuilder/sandbox/attacks/": ({"create_connection"}, "tries the loopback from inside the cage"),
    "gptbuilder/__main__.py": ({"socket", "create_connection"}, "whether the pages it started answer"),
    "gptbuilder/conversations/stream.py": ({"redis"}, "REDIS_URL: the streams of runs"),
    "gptbuilder/conversations/hub.py": ({"redis"}, "REDIS_URL: who listens to which run"),
    "gptbuilder/conversations/live.py": ({"redis"}, "REDIS_URL: what readers are told"),
    "gptbuilder/web/redis_client.py": ({"redis"}, "REDIS_URL: counters"),
    "gptbuilder/operation/error_reporting.py": ({"sentry_sdk"}, "SENTRY_DSN"),
}
REGISTRY = re.compile(r"pypi\.org|pythonhosted|npmjs|index[-_]url\b|find-links|/simple/?(?=[\s\"']|$)", re.IGNORECASE)
INLINE = (
    (re.compile(r"\sstyle\s*=", re.IGNORECASE), "an inline style"),
    (re.compile(r"\s(hx-)?on[a-z:-]+\s*=", re.IGNORECASE), "an inline handler"),
    (re.compile(r"javascript:", re.IGNORECASE), "a javascript: address"),
    (re.compile(r"<(script|style)\b(?![^>]*\b(src|nonce)=)", re.IGNORECASE), "a script or style without src or nonce"),
)
QUERY = re.compile(r"\{[{%][^}]*\.(objects|all|exists|count|iterator|\w+_set)\b")


def test_every_environment_variable_has_a_heading_in_the_settings_reference():
    readers = of(
        "gptbuilder/settings.py", "gptbuilder/environment.py", "gptbuilder/__main__.py", "gptbuilder/embedded/"
    )
    documented = headings("docs/reference/settings.md")

    read = {name for path, text in readers.items() for name in environment_variables(path, text)}

    agree(read, documented, "docs/reference/settings.md")


def test_every_event_of_a_run_has_a_heading_in_the_events_reference():
    agree(set(get_args(stream.Kind)), headings("docs/reference/events.md"), "docs/reference/events.md")


def test_every_direct_dependency_has_a_line_in_the_list_of_dependencies():
    listed = set(re.findall(r"^\| `([^`]+)`", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE))

    agree(direct_dependencies((ROOT / "pyproject.toml").read_text()), listed, "docs/dependencies.md")


def test_no_file_holds_the_address_of_a_registry():
    passes(registry_addresses, {path: text for path, text in tree().items() if not path.startswith("tests/")})


def test_nothing_is_left_to_do_in_the_code():
    passes(left_to_do, {path: text for path, text in code().items() if path != "tests/test_house_rules.py"})


def test_no_module_is_a_drawer_for_everything():
    passes(drawers, of("gptbuilder/", "store/", "tests/", "benchmarks/"))


def test_no_module_is_longer_than_one_can_keep_in_mind():
    passes(long_modules, of("gptbuilder/", "store/"))


def test_the_agent_loop_does_not_grow():
    length = len((ROOT / "gptbuilder/agent/loop.py").read_text().splitlines())

    assert length <= LOOP_LINES, f"it has {length} lines; a new power is a tool"


def test_every_package_says_what_it_is():
    passes(silent_packages, of("gptbuilder/", "store/", ending="/__init__.py"))


def test_only_named_modules_open_connections():
    passes(connections, of("gptbuilder/", "store/"))
    passes(needless_permissions, of("gptbuilder/", "store/"))


def test_every_address_has_a_name():
    passes(nameless_addresses, of("gptbuilder/", "store/", ending="urls.py"))


def test_a_partial_extends_nothing():
    passes(extending_partials, of("templates/", ending=".html"))


def test_a_template_holds_no_inline_style_script_or_handler():
    passes(inline, of("templates/", ending=".html"))


def test_a_template_asks_no_database():
    passes(queries, of("templates/", ending=".html"))


def test_every_document_that_is_named_exists():
    passes(dead_links, {path: text for path, text in tree().items() if not path.startswith(("tests/", "locale/"))})


def test_every_decision_record_has_a_number_of_its_own_and_three_parts():
    passes(malformed_records, of("docs/decisions/", ending=".md"))


# --- The rules -----------------------------------------------------------------------------------


def environment_variables(path: str, text: str) -> Iterator[str]:
    """The names in `env("X")`, `env_int("X")`, `os.environ.get("X")`, `os.environ["X"]`; setting is not reading."""
    for node in ast.walk(ast.parse(text, path)):
        match node:
            case ast.Call(
                func=ast.Name(id="env" | "env_bool" | "env_int" | "env_list"), args=[ast.Constant(str(name)), *_]
            ):
                yield name
            case ast.Call(func=ast.Attribute(ast.Attribute(attr="environ"), "get"), args=[ast.Constant(str(name)), *_]):
                yield name
            case ast.Subscript(ast.Attribute(attr="environ"), ast.Constant(str(name)), ast.Load()):
                yield name


def direct_dependencies(pyproject: str) -> set[str]:
    project = tomllib.loads(pyproject)
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    return {re.match(r"[\w.-]+", requirement).group() for group in groups for requirement in group}


def registry_addresses(files: Files) -> Iterator[str]:
    for path, number, line in lines(files):
        if REGISTRY.search(line):
            yield f"{path}:{number} names a registry"


def left_to_do(files: Files) -> Iterator[str]:
    for path, number, line in lines(files):
        if re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield f"{path}:{number} leaves something to do"


def drawers(files: Files) -> Iterator[str]:
    for path in files:
        if DRAWERS & set(Path(path).with_suffix("").parts) and path not in NAMED_FOR_WHAT_IT_DOES:
            yield f"{path} is named for nothing in particular"


def long_modules(files: Files) -> Iterator[str]:
    for path, text in files.items():
        if (length := len(text.splitlines())) > MODULE_LINES and "/migrations/" not in path:
            yield f"{path} has {length} lines"


def silent_packages(files: Files) -> Iterator[str]:
    for path, text in files.items():
        if len(Path(path).parts) <= 3 and not ast.get_docstring(ast.parse(text)):
            yield f"{path} has no docstring"


def connections(files: Files) -> Iterator[str]:
    for path, text in files.items():
        allowed = {name for start, (names, _) in MAY_CONNECT.items() if path.startswith(start) for name in names}
        for module in sorted(set(imports(path, text))):
            found = {name for name in NETWORK if f"{module}.".startswith(f"{name}.")}
            # Catching an error opens nothing.
            if found - allowed and not module.startswith("redis.exceptions"):
                yield f"{path} imports {module}"
        for node in ast.walk(ast.parse(text, path)):
            if isinstance(node, ast.Attribute) and node.attr in CONNECTING - allowed:
                yield f"{path}:{node.lineno} calls {node.attr}"


def needless_permissions(files: Files) -> Iterator[str]:
    """What a module may do and does not."""
    for start, (names, _) in MAY_CONNECT.items():
        texts = {path: text for path, text in files.items() if path.startswith(start)}
        used = {module for path, text in texts.items() for module in imports(path, text)}
        called = {node.attr for text in texts.values() for node in ast.walk(ast.parse(text)) if hasattr(node, "attr")}
        for name in sorted(names - called):
            if not any(f"{module}.".startswith(f"{name}.") for module in used):
                yield f"{start} need not use {name}"


def nameless_addresses(files: Files) -> Iterator[str]:
    for path, text in files.items():
        for node in ast.walk(ast.parse(text, path)):
            match node:
                case ast.Call(func=ast.Name("path" | "re_path"), args=[_, ast.Call(func=ast.Name("include"))]):
                    continue
                case ast.Call(func=ast.Name("path" | "re_path"), args=[_, ast.Attribute(attr="urls")]):
                    continue
                case ast.Call(func=ast.Name("path" | "re_path"), keywords=keywords):
                    if not any(keyword.arg == "name" for keyword in keywords):
                        yield f"{path}:{node.lineno} has no name"


def extending_partials(files: Files) -> Iterator[str]:
    for path, text in files.items():
        if Path(path).name.startswith("_") and re.search(r"\{%\s*extends\b", text):
            yield f"{path} is a partial and extends"


def inline(files: Files) -> Iterator[str]:
    for path, number, line in lines(files):
        for pattern, what in INLINE:
            if pattern.search(line):
                yield f"{path}:{number} has {what}"


def queries(files: Files) -> Iterator[str]:
    for path, number, line in lines(files):
        if found := QUERY.search(line):
            yield f"{path}:{number} may ask the database: .{found[1]}"


def dead_links(files: Files) -> Iterator[str]:
    """Links of Markdown to files, and documents named in code. Pictures do not count: the browser tests make them."""
    for path, number, line in lines(files):
        named = [ROOT / name for name in re.findall(r"\bdocs/[\w/.-]+\.md\b", line)]
        if path.endswith(".md"):
            linked = (
                address.partition("#")[0] for address in re.findall(r"\]\(([^)\s]+)\)", line) if "://" not in address
            )
            named = [(ROOT / path).parent / address for address in linked if address and not address.endswith(".png")]
        for target in named:
            if not target.resolve().is_relative_to(ROOT):
                yield f"{path}:{number} leads out of the repository"
            elif not target.exists():
                yield f"{path}:{number} leads to {target.name}, which does not exist"


def malformed_records(files: Files) -> Iterator[str]:
    numbers: dict[str, str] = {}
    for path, text in sorted(files.items()):
        if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", Path(path).name):
            yield f"{path} is not called NNNN-title.md"
            continue
        number = Path(path).name[:4]
        if number in numbers:
            yield f"{path} has the number of {numbers[number]}"
        numbers[number] = path
        missing = {"Context", "Decision", "Consequences"} - set(re.findall(r"^## (\w+)", text, re.MULTILINE))
        if missing:
            yield f"{path} has no {', '.join(sorted(missing))}"


# --- That each rule can fail ---------------------------------------------------------------------

Rule = Callable[[Files], Iterator[str]]
RECORD = "## Context\n## Decision\n## Consequences\n"
BROKEN: list[tuple[Rule, Files]] = [
    (registry_addresses, {"requirements.lock": "--index-" + "url https://example.org\n"}),
    (registry_addresses, {"package-lock.json": '"https://registry.' + 'npmjs.org/x"'}),
    (registry_addresses, {"uv.toml": 'url = "https://mirror.example/simple"'}),
    (left_to_do, {"gptbuilder/web/views.py": "# " + "TODO: later"}),
    (drawers, {"gptbuilder/gpts/services.py": ""}),
    (drawers, {"gptbuilder/utils/text.py": ""}),
    (long_modules, {"gptbuilder/web/views.py": "\n" * (MODULE_LINES + 1)}),
    (silent_packages, {"gptbuilder/web/__init__.py": "import os"}),
    (connections, {"gptbuilder/builder/views.py": "import httpx"}),
    (connections, {"gptbuilder/gpts/pictures.py": "from urllib.request import urlopen"}),
    (connections, {"gptbuilder/usage/limits.py": "import redis.asyncio"}),
    (connections, {"gptbuilder/tools/actions.py": "import httpcore"}),
    (connections, {"gptbuilder/web/outbound.py": "from http import client"}),
    (connections, {"gptbuilder/tools/actions.py": "import asyncio\nasyncio.open_connection('10.0.0.1', 80)"}),
    (connections, {"store/feeds.py": "import urllib\nurllib.request.urlopen(url)"}),
    (needless_permissions, {"gptbuilder/web/redis_client.py": "import json"}),
    (connections, {"gptbuilder/gateway/chat.py": "from redis import Redis"}),
    (nameless_addresses, {"gptbuilder/web/urls.py": 'urlpatterns = [path("x/", views.x)]'}),
    (extending_partials, {"templates/web/_piece.html": '{# x #}{% extends "base.html" %}'}),
    (inline, {"templates/x.html": '<p style="color: red">'}),
    (inline, {"templates/x.html": '<button onclick="go()">'}),
    (inline, {"templates/x.html": '<button hx-on:click="go()">'}),
    (inline, {"templates/x.html": '<a href="javascript:go()">'}),
    (inline, {"templates/x.html": "<script>go()</script>"}),
    (queries, {"templates/x.html": "{% for step in run.steps.all %}"}),
    (queries, {"templates/x.html": "{{ gpt.versions.count }}"}),
    (dead_links, {"docs/x.md": "[here](nowhere.md#part)"}),
    (dead_links, {"README.md": "[there](../elsewhere.md)"}),
    (dead_links, {"gptbuilder/web/views.py": "# docs/how-to/nothing.md"}),
    (malformed_records, {"docs/decisions/0001-a.md": RECORD, "docs/decisions/0001-b.md": RECORD}),
    (malformed_records, {"docs/decisions/notes.md": RECORD}),
    (malformed_records, {"docs/decisions/0001-a.md": "## Context\n"}),
]


@pytest.mark.parametrize(("rule", "files"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_rule_finds_what_it_forbids(rule: Rule, files: Files):
    assert list(rule(files))


def test_every_way_of_reading_the_environment_is_seen():
    source = 'env("A"); env_bool("B", default=True); os.environ.get("C"); os.environ["D"]; os.environ["E"] = "set"'

    assert set(environment_variables("settings.py", source)) == {"A", "B", "C", "D"}


def test_an_undocumented_name_and_a_stale_heading_are_both_told():
    with pytest.raises(AssertionError, match=r"without a heading: NEW.*without a reason: OLD"):
        agree({"NEW", "SAME"}, {"OLD", "SAME"}, "a file")


# --- Reading the tree ----------------------------------------------------------------------------


@cache
def tree() -> Files:
    """Every text file that is committed or would be: what is ignored does not count."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file()]
    return {path: text for path in sorted(set(paths)) if (text := text_of(ROOT / path)) is not None}


def text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def of(*starts: str, ending: str = ".py") -> Files:
    return {path: text for path, text in tree().items() if path.startswith(starts) and path.endswith(ending)}


def code() -> Files:
    return {
        path: text for path, text in tree().items() if path.endswith(CODE) or Path(path).name in ("Makefile", "run")
    }


def lines(files: Files) -> Iterator[tuple[str, int, str]]:
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            yield path, number, line


def imports(path: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text, path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                # `from urllib import request` names a module, too.
                yield from (f"{module}.{alias.name}" for alias in names)


def headings(document: str) -> set[str]:
    return set(re.findall(r"^#+ `([^`]+)`", (ROOT / document).read_text(), re.MULTILINE))


def agree(needed: set[str], written: set[str], where: str) -> None:
    without, stale = ", ".join(sorted(needed - written)), ", ".join(sorted(written - needed))
    assert needed == written, f"{where}: without a heading: {without or 'none'}; without a reason: {stale or 'none'}"


def passes(rule: Rule, files: Files) -> None:
    assert files, "the rule has nothing to look at"
    found = list(rule(files))
    assert not found, "\n" + "\n".join(found)
