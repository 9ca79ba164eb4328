"""What `corruptions` raises on purpose.

CorruptionError(ValueError)     images, ids or boxes of the wrong form
├── UnknownName                 no corruption or suite of that name
└── StrengthError               a severity or level the corruption does not have
"""


class CorruptionError(ValueError):
    """The thing, what was expected and what was got, in one line."""


class UnknownName(CorruptionError):  # noqa: N818 - it reads as a sentence where it is raised
    """No corruption or suite of that name; the message has the nearest one."""


class RepeatedDraws(UserWarning):
    """Different images got the same noise, because nobody gave their ids."""


class StrengthError(CorruptionError):
    """A severity or level the corruption does not have."""
