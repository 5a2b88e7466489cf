"""Notebooks."""

from __future__ import annotations

import json

from tests.knowledge.reading.samples import places, read, texts


def notebook(*cells: dict, **more: object) -> bytes:
    return json.dumps({"cells": cells, **more}).encode()


def test_cells_are_text_and_fenced_code_with_what_it_printed():
    data = notebook(
        {"cell_type": "markdown", "source": ["# Ducks\n", "They swim."]},
        {
            "cell_type": "code",
            "source": "print(1)",
            "outputs": [
                {"output_type": "stream", "text": ["1\n"]},
                {"output_type": "display_data", "data": {"image/png": "AAAA"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no"},
            ],
        },
        metadata={"kernelspec": {"language": "python"}},
    )

    answer = read(data, "a.ipynb")

    assert texts(answer) == (
        "# Ducks\nThey swim.\n\n```python\nprint(1)\n```\n\n```\n1\n```\n\n```\nValueError: no\n```"
    )
    assert places(answer) == [("heading", None, "Ducks")]


def test_old_notebooks_are_read_too():
    old = {"worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "Geese"}]}]}

    assert texts(read(json.dumps(old).encode(), "a.ipynb")) == "## Geese"


def test_a_fence_is_longer_than_any_in_the_code():
    assert "````python\n```\n````" in texts(read(notebook({"cell_type": "code", "source": "```"}), "a.ipynb"))
