"""Pages that open from disk: one file each, nothing from the network, light and dark.

The parts that are not ours stand in assets/ as their makers published them; assets/README.md says which.
"""

from robench.web._render import data_address, inline_svg, page

__all__ = ["data_address", "inline_svg", "page"]
