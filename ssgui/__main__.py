"""`python -m ssgui` is the `ssgui` command; hidden arguments make it one of its small helpers.

Those are the guard of the system's proxy, and what Windows starts with an administrator's rights.
"""

import sys


def main() -> int:
    """The exit code. The helpers stay small: they load nothing of the command."""
    if getattr(sys, "frozen", False):
        from ssgui.system.frozen import settle

        settle()
    if sys.argv[1:2] == ["--proxy-guard"]:
        from ssgui.system.proxy import guard

        return guard.main(sys.argv[2:])
    if sys.argv[1:2] == ["--store-apps"]:
        from ssgui.system.integration import windows_store_apps

        return windows_store_apps.main(sys.argv[2:])
    from ssgui import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
