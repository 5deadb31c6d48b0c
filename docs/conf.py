"""How the documentation is built: `sphinx-build -n -W --keep-going docs OUT`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("_ext")))

project = "exportjobs"
author = "the exportjobs developers"
release = version = version_of("exportjobs")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "cli_reference",
    "docstrings",
    "error_tree",
    "event_table",
    "house",
    "references",
    "signatures",
    "status_table",
    "vendor_facts",
]
exclude_patterns = ["_build"]

# What stands in backquotes in a docstring is code, as it is in Markdown.
default_role = "code"
nitpicky = True

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 120
python_display_short_literal_types = True
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "exportjobs"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}

# Types that stand in public signatures and are nobody's to make: the text tells what may be passed.
_UNNAMED = "Clock|Destination|PollerOptions|ResumeOptions|Results|Store|Subject"
nitpick_ignore_regex = [
    ("py:class", rf"exportjobs\.[\w.]+\.({_UNNAMED})"),
    ("py:class", r"httpx\.AsyncBaseTransport|Attribute"),
    ("py:class", r"(exportjobs\.[\w.]+\.)?[APT]"),  # type variables
]
