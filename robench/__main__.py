"""`python -m robench` is the command `robench`."""

from robench.cli import main

if __name__ == "__main__":
    main()
