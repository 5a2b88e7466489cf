"""How every benchmark speaks: a table for people, and with --json one object as the last line."""

import argparse
import json
from collections.abc import Mapping

Figures = Mapping[str, float | str]


def arguments(description: str | None) -> argparse.Namespace:
    """`--json` and `--quick`; `quick` keeps the names and shortens the measuring."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON on the last line")
    parser.add_argument("--quick", action="store_true", help="measure less, in under a minute")
    return parser.parse_args()


def show(name: str, figures: Figures, *, as_json: bool) -> None:
    width = max(map(len, figures), default=0)
    print(name)
    for figure, value in figures.items():
        print(f"  {figure:<{width}}  {value if isinstance(value, str) else f'{value:,.5g}':>12}")
    if as_json:
        print(json.dumps({"name": name, "figures": dict(figures)}))
