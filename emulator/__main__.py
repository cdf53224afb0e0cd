"""`python -m emulator` is the command line."""

from .cli import main

main()
