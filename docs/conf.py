"""The Sphinx configuration; `make docs` builds with it and treats every warning as an error."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))["project"]

project = "kajabi_async"
version = release = PROJECT["version"]
author = "The kajabi_async developers"
project_copyright = "The kajabi_async developers"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
extensions += ["commands", "names", "navigation", "public_names", "reference", "surface"]
exclude_patterns = ["_build", "_ext"]
default_role = "py:obj"
nitpicky = True
# Names of other libraries are not linked, so that nothing is fetched. Names of this package must resolve.
nitpick_ignore_regex = [
    ("py:.*", r"(aiohttp|asyncio|collections|datetime|decimal|opentelemetry|os|pathlib|random|redis|typing)\..*"),
    ("py:(class|obj)", r"kajabi_async\.testing\.(state|oauth|faults\.incident)\..*"),  # Internals of the fake.
    # In annotations that stay text, as other names in them are imported for type checkers only.
    ("py:class", r"datetime|timedelta"),
    # Passed on only.
    ("py:class", r"kajabi_async\.(models\.origin\.Scope|stall\.Stalls)"),
    ("py:class", r"kajabi_async\.fetching\.(context\.Context|page\.ListRequest|naming\.Naming|run\.Scanning)"),
    ("py:(class|obj)", r"kajabi_async\..*\.(R|\w*T)"),  # Type variables.
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autoclass_content = "both"
autodoc_default_options = {"no-value": True}
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 88

# Quotation marks belong to code more often than to prose: 'purchases' is copied as it is.
smartquotes = False

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"kajabi_async {version}"
html_logo = "_static/logo.svg"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["kajabi_async.css"]
html_js_files = ["kajabi_async.js"]
# The sources are in the repository.
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navigation_with_keys": True,
    "footer_icons": [
        {"name": "Repository", "url": PROJECT["urls"]["Repository"], "html": "Repository", "class": "repository"}
    ],
}
pygments_style = "default"
# The default for dark pages underlines names of modules, as if they were links.
pygments_dark_style = "github-dark"
