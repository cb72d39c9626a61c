"""The report as JSON, Markdown, a terminal table and one self-contained HTML page."""
