"""``python -m commensal``: the same as the command `commensal`."""

from .parts.cli import main

if __name__ == "__main__":
    main()
