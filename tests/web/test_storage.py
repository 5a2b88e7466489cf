"""The browser gets one stylesheet and one script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage

from gptbuilder.web import storage


def paths_of(**files: str) -> storage.Paths:
    memory = InMemoryStorage()
    for name, source in files.items():
        memory.save(name, ContentFile(source.encode()))
    return {name: (memory, name) for name in files}


def our_paths() -> storage.Paths:
    return {path: (where, path) for finder in finders.get_finders() for path, where in finder.list([])}


def test_every_import_of_the_stylesheet_is_written_into_its_layer():
    paths = paths_of(**{"css/app.css": '@import url("x/a.css") layer(base);\n', "css/x/a.css": "a { color: red }"})

    assert storage.stylesheet(paths) == "@layer base {\na { color: red }\n}"


def test_every_element_is_written_into_a_block_of_its_own():
    paths = paths_of(**{"js/app.js": 'import "./elements/a.js";\n', "js/elements/a.js": "const a = 1;"})

    assert storage.script(paths) == "{ // js/elements/a.js\nconst a = 1;\n}"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"css/app.css": '@import url("gone.css") layer(base);'}, "does not exist"),
        ({"css/app.css": '@import url("a.css") layer(base);', "css/a.css": "a { background: url(x.png) }"}, "url"),
    ],
)
def test_a_stylesheet_that_would_change_its_meaning_is_refused(files, reason):
    with pytest.raises(storage.NotBundled, match=reason):
        storage.stylesheet(paths_of(**files))


def test_an_element_that_imports_is_refused():
    with pytest.raises(storage.NotBundled, match="stands alone"):
        storage.script(paths_of(**{"js/app.js": 'import "./a.js";', "js/a.js": 'import { b } from "./b.js";'}))


def test_our_own_sources_leave_no_import_behind():
    paths = our_paths()

    assert "@import" not in storage.stylesheet(paths)
    assert not re.search(r"^import ", storage.script(paths), re.MULTILINE)


def test_every_stylesheet_and_element_is_imported():
    static = Path(__file__).resolve().parents[2] / "static"
    imported = (static / "css/app.css").read_text() + (static / "js/app.js").read_text()

    sources = [*static.glob("css/**/*.css"), *static.glob("js/elements/*.js")]
    forgotten = [path.name for path in sources if path.name != "app.css" and f"{path.name}" not in imported]

    assert forgotten == []


def test_collecting_hashes_the_bundles(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {"staticfiles": {"BACKEND": "gptbuilder.web.storage.BundledStaticFilesStorage"}}
    target = storage.BundledStaticFilesStorage(location=tmp_path)
    paths = {name: found for name, found in our_paths().items() if name.startswith(("css/", "js/"))}
    for name, (source, path) in paths.items():
        with source.open(path) as file:
            target.save(name, file)

    errors = [result for _name, _hashed, result in target.post_process(paths) if isinstance(result, Exception)]

    assert errors == []
    assert "@layer tokens {" in (tmp_path / target.hashed_files["css/app.css"]).read_text()
