"""robench: how image classifiers hold up on degraded images."""

__version__ = "0.1.0"

__all__ = ["__version__"]
