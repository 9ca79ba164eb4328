"""Pages that open from disk: nothing from the network, light and dark; one file, or several that share their parts.

The parts that are not ours stand in assets/ as their makers published them; assets/README.md says which.
"""

from robench.web._render import MADE_BY, breakable, data_address, page, shared_assets, with_code
from robench.web._svg import inline_svg

__all__ = ["MADE_BY", "breakable", "data_address", "inline_svg", "page", "shared_assets", "with_code"]
