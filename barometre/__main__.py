"""``python -m barometre``: the command line."""

from barometre.cli import main

if __name__ == "__main__":
    main()
