"""One stylesheet and one script for the browser, one file per component for us (docs/decisions: one stylesheet).

Collecting the static files writes the imports of `css/app.css` and `js/app.js` into those two files, then hashes and
compresses as usual. With DEBUG the browser follows the imports itself, so nothing has to be built while working.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage
from servestatic.storage import CompressedManifestStaticFilesStorage

STYLESHEET = "css/app.css"
SCRIPT = "js/app.js"
STYLE_IMPORT = re.compile(r'^@import url\("([^":]+)"\) layer\((\w+)\);$', re.MULTILINE)
SCRIPT_IMPORT = re.compile(r'^import "(\./[^"]+)";$', re.MULTILINE)
RELATIVE_ADDRESS = re.compile(r"""url\(\s*(?!["']?(?:data:|#))""")
MODULE_SYNTAX = re.compile(r"^(?:import|export)\b", re.MULTILINE)

Paths = dict[str, tuple[Storage, str]]


class NotBundled(ValueError):
    """A source cannot be written into the bundle; the message names the file and the reason."""


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Manifest storage whose two entry files hold everything they import."""

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        bundles = {STYLESHEET: stylesheet, SCRIPT: script}
        memory = InMemoryStorage()
        for name, bundle in bundles.items():
            if name in paths:
                memory.save(name, ContentFile(bundle(paths).encode()))
        bundled = {name: (memory, name) for name in bundles if name in paths}
        yield from super().post_process({**paths, **bundled}, dry_run=dry_run, **options)


def stylesheet(paths: Paths) -> str:
    """`css/app.css` with each `@import url("x") layer(y)` replaced by `@layer y { … }`."""

    def inline(match: re.Match[str]) -> str:
        name, source = _imported(paths, STYLESHEET, match[1])
        if RELATIVE_ADDRESS.search(source):
            raise NotBundled(f"{name} uses url(): an address would change its meaning in the bundle.")
        return f"@layer {match[2]} {{\n{source}\n}}"

    return STYLE_IMPORT.sub(inline, _read(paths, STYLESHEET))


def script(paths: Paths) -> str:
    """`js/app.js` with each `import "./x.js";` replaced by that file in a block of its own."""

    def inline(match: re.Match[str]) -> str:
        name, source = _imported(paths, SCRIPT, match[1])
        if MODULE_SYNTAX.search(source):
            raise NotBundled(f"{name} imports or exports: an element stands alone.")
        return f"{{ // {name}\n{source}\n}}"

    return SCRIPT_IMPORT.sub(inline, _read(paths, SCRIPT))


def _imported(paths: Paths, importer: str, address: str) -> tuple[str, str]:
    name = posixpath.normpath(posixpath.join(posixpath.dirname(importer), address))
    if name not in paths:
        raise NotBundled(f"{importer} imports {name}, which does not exist.")
    return name, _read(paths, name)


def _read(paths: Paths, name: str) -> str:
    storage, path = paths[name]
    with storage.open(path, "rb") as file:
        source: bytes = file.read()
    return source.decode().strip()
