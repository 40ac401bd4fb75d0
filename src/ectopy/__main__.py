"""Run the command line as `python -m ectopy`."""

from ectopy.cli import main

main()
