#!/bin/sh
# uninstall.sh [--purge|--keep-data]: take ssgui away again, as install.sh has put it there. What runs of it is ended
# first, and each instance puts the system's proxy back; then start at login and ss:// links go. Your servers, rules
# and settings stay unless you say otherwise. (--upgrade, of install.sh, leaves all of that for the next version.)
set -eu
app=$(cd "$(dirname "$0")" && pwd)
what=${1:-}
list=$app/installed-files
[ -e "$list" ] || { echo "$app was not installed by install.sh" >&2; exit 2; }

running() { # [guards too]: process ids of our program that we may end
    for folder in /proc/[0-9]*; do
        # shellcheck disable=SC3013  # every /bin/sh that we know has it
        [ "$folder/exe" -ef "$app/ssgui" ] || continue
        [ -n "${1:-}" ] || ! tr '\0' '\n' <"$folder/cmdline" 2>/dev/null | grep -qx -e --proxy-guard || continue
        echo "${folder#/proc/}"
    done
}

wait_for() { # tries of 0.1 s, [guards too]: until there is none
    tries=$1
    while [ -n "$(running "${2:-}")" ]; do
        [ "$tries" -gt 0 ] || return 1
        tries=$((tries - 1))
        sleep 0.1
    done
}

# shellcheck disable=SC2086,SC2046  # lists of process ids, and a flag that may not be there
main() {
    if [ "$what" != --upgrade ]; then
        "$app/ssgui" uninstall $what || echo "not everything could be taken back, see above" >&2
    fi
    pids=$(running)
    if [ -n "$pids" ]; then
        kill $pids 2>/dev/null || true
        wait_for 100 || kill -KILL $(running) 2>/dev/null || true
    fi
    wait_for 100 guards || echo "a guard of the system's proxy is still at work" >&2
    entries=$(sed -n 's|/ssgui\.desktop$||p' "$list")
    grep -v '/$' "$list" | while read -r file; do
        rm -f "$file"
    done
    if [ -d "$entries" ] && command -v update-desktop-database >/dev/null; then
        update-desktop-database -q "$entries" || true
        grep -qs = "$entries/mimeinfo.cache" || rm -f "$entries/mimeinfo.cache"
    fi
    folders=$(grep '/$' "$list" | sort -r)
    cd /
    rm -rf "$app"
    echo "$folders" | while read -r folder; do # made by install.sh; kept when something else is in them now
        [ -z "$folder" ] || rmdir "$folder" 2>/dev/null || true
    done
    [ "$what" = --upgrade ] || echo "ssgui is removed"
}

main  # read as a whole before it removes this very file
