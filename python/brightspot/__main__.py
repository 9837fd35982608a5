"""``python -m brightspot``: the command line, where its script is not on the path."""

from brightspot.cli import main

if __name__ == "__main__":
    main()
