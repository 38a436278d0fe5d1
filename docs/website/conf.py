"""What Sphinx is told: the theme, the Markdown it reads, and nothing that is fetched from anywhere."""

from tracer import __version__

project = "livekit-tracer"
release = version = __version__
extensions = ["myst_parser"]
myst_heading_anchors = 4
"""Headings down to this level have the anchors that GitHub gives them."""
html_theme = "furo"
html_title = f"livekit-tracer {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_show_search_summary = False  # it would fetch each page that is found, which a browser refuses to pages of files
html_use_index = False
smartquotes = False  # --format is no dash
highlight_language = "text"
pygments_style = "tango"
pygments_dark_style = "monokai"
