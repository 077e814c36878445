"""`python -m ssgui` is the `ssgui` command; with a hidden argument it is the guard of the system's proxy."""

import sys


def main() -> int:
    """The exit code. The guard stays small: it loads nothing of the command."""
    if sys.argv[1:2] == ["--proxy-guard"]:
        from ssgui.system.proxy import guard

        return guard.main(sys.argv[2:])
    from ssgui import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
