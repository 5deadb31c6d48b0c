"""`python -m exportjobs`: the command line, where its program is not on the path."""

from exportjobs.cli import main

main()
