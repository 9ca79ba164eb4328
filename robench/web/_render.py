"""From a template and its values to the text of a page."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

STYLE = "style.css"
MADE_BY = '<meta name="generator" content="robench">'
"""What stands at the head of every page."""
SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js", "dataTables.min.js", "page.js")


def page(package: str, template: str, *, assets: str = "", **values: Any) -> str:
    """The template of a package as HTML; it may extend `base.html.j2` and use the macros of `parts.html.j2`.

    assets: the address of a folder with the files of `shared_assets`, which the page asks for; without one they stand
    in the page.
    """
    return str(_environment(package).get_template(template).render(assets=assets, **values))


@cache
def _environment(package: str) -> Any:
    """The templates of a package and of this one, compiled once."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates"), PackageLoader("robench.web", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"asset": asset, "scripts": SCRIPTS, "made_by": Markup(MADE_BY)}
    environment.filters |= {"code": with_code, "label": breakable}
    return environment


def with_code(text: str) -> Markup:
    """A text as HTML, what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def breakable(label: str) -> Markup:
    """The label of a model or corruption as HTML that a narrow column breaks between its words, not within one."""
    return Markup(re.sub(r"([=@_:/+])(?=.)", r"\1<wbr>", str(escape(label))))


def shared_assets() -> dict[str, str]:
    """The text of every script and style by name, for pages that share them."""
    return {name: str(asset(name)) for name in (STYLE, *SCRIPTS)}


@cache
def asset(name: str) -> Markup:
    """The text of a file of assets/, to stand inside a style or script element."""
    text = (files("robench.web") / "assets" / name).read_text(encoding="utf-8")
    return Markup(re.sub(r"\n?//# sourceMappingURL=.*", "", text).replace("</script", "<\\/script"))


def data_address(path: Path, *, side: int = 64, images: int = 4) -> str:
    """A PNG strip of square images as an address that holds the first of them, at most `side` pixels high."""
    from PIL import Image

    with Image.open(path) as picture:
        width, height = picture.size
        strip = picture.crop((0, 0, min(width, images * height), height))
        if height > side:
            strip = strip.resize((strip.width * side // height, side), Image.Resampling.BOX)
        held = io.BytesIO()
        strip.save(held, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
