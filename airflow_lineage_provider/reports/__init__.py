"""Comparisons, impacts and maps as text, Markdown, HTML, JUnit and SARIF."""
