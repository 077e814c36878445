#!/bin/sh
# install.sh [FOLDER]: install ssgui for you, into ~/.local, or as root for everybody, into /opt and /usr/local.
# FOLDER is where the program itself goes instead. Nothing is downloaded. uninstall.sh there takes it away again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ "$(id -u)" = 0 ]; then
    app=${1:-/opt/ssgui} bin=/usr/local/bin share=/usr/local/share units=/etc/systemd/system
else
    app=${1:-$HOME/.local/opt/ssgui} bin=$HOME/.local/bin share=${XDG_DATA_HOME:-$HOME/.local/share}
    units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
fi
case $app in
/*) ;;
*) app=$PWD/$app ;;
esac
case $app in
*[\"\`\$\\%\|\&]* | *"
"*) echo "ssgui cannot be installed in a folder whose name has one of \" \` \$ \\ % | & in it" >&2; exit 2 ;;
esac
if [ -e "$app" ] && [ ! -e "$app/installed-files" ]; then
    echo "$app is there already, and was not made by this script" >&2
    exit 2
fi
if [ -e "$app/installed-files" ]; then
    sh "$app/uninstall.sh" --upgrade
fi
list=$(mktemp)
trap 'rm -f "$list"' EXIT

ensure() { # FOLDER: is there; what was made for it is noted, to be taken away again
    [ -d "$1" ] || {
        ensure "$(dirname "$1")"
        mkdir "$1"
        echo "$1/" >>"$list"
    }
}

ensure "$(dirname "$app")"
cp -R "$here/app" "$app"
cp "$here/uninstall.sh" "$app/uninstall.sh"
ensure "$bin"
ln -sf "$app/ssgui" "$bin/ssgui"
echo "$bin/ssgui" >>"$list"
(cd "$here/share" && find . -type f) | sed 's|^\./||' | while read -r file; do
    ensure "$(dirname "$share/$file")"
    cp "$here/share/$file" "$share/$file"
    echo "$share/$file" >>"$list"
done
# A session's PATH may not have the folder of programs: the menu gets the whole name.
# Quotes only where they are needed: not every xdg-open understands them.
entry=$share/applications/ssgui.desktop program=$app/ssgui
case $program in
*[!A-Za-z0-9_@%+=:,./-]*) program=\"$program\" ;;
esac
sed -e "s|^TryExec=.*|TryExec=$app/ssgui|" -e "s|^Exec=.*|Exec=$program %u|" "$here/share/applications/ssgui.desktop" >"$entry"
if [ -d "$here/systemd" ] && [ "$(id -u)" = 0 ]; then
    ensure "$units"
    for unit in "$here"/systemd/*; do
        case $unit in
        *.sysusers)
            place=/etc/sysusers.d/$(basename "$unit" .sysusers).conf
            ensure /etc/sysusers.d
            ;;
        *) place=$units/$(basename "$unit") ;;
        esac
        sed "s|/usr/bin/ssgui|$bin/ssgui|g" "$unit" >"$place"
        echo "$place" >>"$list"
    done
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers ssgui.conf || true # the person that its services run as
    fi
fi
if command -v update-desktop-database >/dev/null; then
    update-desktop-database -q "$share/applications" || true
fi
cp "$list" "$app/installed-files"
chmod 644 "$app/installed-files"
missing=$(find "$app/_internal" -name '*.so*' -type f -exec ldd {} + 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found/\1/p' | sort -u)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # on one line
    echo "this system lacks libraries that the window wants:" $missing >&2
fi
echo "ssgui is installed in $app; \"ssgui selftest\" tries it"
case :$PATH: in
*":$bin:"*) ;;
*) echo "$bin is not in your PATH" ;;
esac
