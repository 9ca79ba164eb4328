"""Everything robench raises on purpose.

    RobenchError                a line for the user; the command line exits with 1
    ├── ConfigError             a name or a value is wrong; also a ValueError; exits with 2
    ├── DatasetError            a data set is missing, broken or of another form
    ├── ModelError              a model cannot be built or fed
    │   └── CheckpointError     weights cannot be read, or belong to another network
    ├── SetError                a generated set is damaged, incomplete or of another request
    ├── RunError                a run folder is damaged, busy or of another request
    ├── BoardError              a leaderboard's files are damaged, stale, or do not take a run
    └── TrainError              a recipe and what it was given do not fit together

`corruptions` has its own root, `corruptions.CorruptionError`. The command line turns both into one line on stderr.
"""


class RobenchError(Exception):
    """The thing, what was expected and what was got, in one line."""

    exit_code = 1


class ConfigError(RobenchError, ValueError):
    """An unknown name or an impossible value, in Python or on the command line."""

    exit_code = 2


class DatasetError(RobenchError):
    """A data set is missing, broken or of another form than asked."""


class ModelError(RobenchError):
    """A model cannot be built or fed."""


class CheckpointError(ModelError):
    """Weights cannot be read safely, or belong to another network."""


class SetError(RobenchError):
    """A generated set is damaged, incomplete or of another request."""


class RunError(RobenchError):
    """A run folder is damaged, busy or of another request."""


class BoardError(RobenchError):
    """A leaderboard's files are damaged or stale, or a run does not belong on it."""


class TrainError(RobenchError):
    """A recipe and what it was given do not fit together."""


class DivergedError(TrainError):
    """The loss of a training is not a number any more."""
