"""A self-contained HTML page: no font, no request, and no script but that of its drawing."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import TYPE_CHECKING

from airflow_lineage_provider.reports.escape import symbols
from airflow_lineage_provider.reports.picture import bundle

if TYPE_CHECKING:
    from collections.abc import Iterable

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --quiet: #888; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 3rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; } h4 { font-size: 1.05rem; } h5, h6 { font-size: 1rem; }
h1, h2, h3, h4, h5, h6, p, li { overflow-wrap: anywhere; }
h2 { margin-top: 2.4em; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .35em .9em .35em 0; }
tr { border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; } code, pre { font: .9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: 1em; border: 1px solid var(--line); border-radius: 6px; }
figure { box-sizing: border-box; width: calc(100vw - 2.5rem); height: min(46rem, 85vh); overflow: hidden;
  margin: 1em 50%; transform: translateX(-50%); border: 1px solid var(--line); border-radius: 6px; }
@page { size: A4; margin: 16mm; }
@media print {
  :root { color-scheme: light; }
  body { margin: 0; padding: 0; max-width: none; font-size: 10.5pt; }
  h1, h2, h3, h4, h5, h6 { break-after: avoid; }
  table { display: table; width: 100%; } thead { display: table-header-group; }
  tr, figure, li { break-inside: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; } td { overflow-wrap: anywhere; }
  figure { width: auto; height: auto; margin: 1em 0; transform: none; overflow: visible; border: 0; }
}
"""


FIGURE = '<figure id="lineage" aria-label="Lineage graph"></figure>'
"""Where a page's body has its drawing."""


def page(title: str, body: str, picture: str = "") -> str:
    """Return a whole page; `body` is HTML, `title` is text, `picture` the data of the drawing in FIGURE."""
    shown = html.escape(symbols(title))
    style, script = _STYLE, bundle() if picture else None
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src '{_digest(style)}'"
    drawing = ""
    if script:
        policy += f"; script-src '{_digest(script)}'; img-src data: blob:"
        data = f'<script type="application/json" id="lineage-data">{picture}</script>'
        drawing = f"{data}\n<script>{script}</script>\n"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown}</title>\n<style>{style}</style>\n</head>\n<body>\n<h1>{shown}</h1>\n{body}\n{drawing}"
        "</body>\n</html>\n"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of texts."""
    return (
        f"<table><thead><tr>{_cells('th', head)}</tr></thead>\n<tbody>\n"
        + "\n".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
        + "\n</tbody></table>\n"
    )


def _cells(kind: str, texts: Iterable[str]) -> str:
    return "".join(f"<{kind}>{html.escape(symbols(str(text)))}</{kind}>" for text in texts)
