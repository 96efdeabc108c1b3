#!/bin/sh
# Installs Commensal on Debian 13 with one instance, served behind Caddy. Run as root:
#
#   sh install.sh commensal-0.2.0-py3-none-any.whl val val.example marie@example.org
#
# the wheel; the name of the instance, which names its folder; its domain, which leads to this machine; and the address of
# its first operator, for whom a link is printed. Typed again, it does what is missing and changes nothing else; with
# another name, it adds an instance. Later versions: commensal upgrade VERSION.
set -eu

if [ $# -ne 4 ]; then
    echo "Usage: sh install.sh WHEEL NAME DOMAIN OPERATOR'S-ADDRESS" >&2
    exit 2
fi
wheel=$1 name=$2 domain=$3 operator=$4
root=${COMMENSAL_ROOT:-} # another place, for a trial
program=$root/opt/commensal
instances=$root/var/lib/commensal
backups=$root/var/backups/commensal
units=$root/etc/systemd/system
sites=$root/etc/caddy
python=${COMMENSAL_PYTHON:-/usr/bin/python3} # Debian's: another one of root's PATH may be in a folder of root's

refuse() {
    echo "Nothing was installed: $1" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || refuse "run this as root."
[ -f "$wheel" ] || refuse "there is no file $wheel."
case $wheel in *commensal-*.whl) ;; *) refuse "$wheel is not a wheel of Commensal." ;; esac
case $name in '' | *[!a-z0-9-]*) refuse "the name '$name' may have small letters, digits and '-' only." ;; esac
case $operator in *?@?*) ;; *) refuse "'$operator' is not an e-mail address." ;; esac

say() { printf '%s\n' "== $*"; }
as_commensal() { runuser -u commensal -- "$@"; }

if ! command -v caddy >/dev/null || ! "$python" -c 'import ensurepip' 2>/dev/null; then
    say "packages of Debian"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv caddy
fi
id commensal >/dev/null 2>&1 ||
    useradd --system --create-home --home-dir /var/lib/commensal --shell /usr/sbin/nologin commensal
install -d -o commensal -m 700 "$instances" "$backups"

# Each version lies in an environment of its own, and the link `current` says which is in use.
version=$(basename "$wheel" | cut -d- -f2)
environment=$program/versions/$version
if [ ! -e "$environment/.complete" ] && [ ! -L "$program/current" ]; then
    say "Commensal $version, in $environment"
    rm -rf "$environment"
    "$python" -m venv "$environment"
    as_commensal "$environment/bin/python" -c '' 2>/dev/null || {
        rm -rf "$environment"
        refuse "the user commensal may not run $python."
    }
    pinned=$(mktemp)
    "$environment/bin/python" - "$wheel" >"$pinned" <<'PYTHON'
import sys, zipfile
print(zipfile.ZipFile(sys.argv[1]).read("commensal/project/core/release/constraints.txt").decode())
PYTHON
    if grep -q == "$pinned"; then
        "$environment/bin/python" -m pip install --quiet --no-deps --require-hashes --requirement "$pinned"
    fi
    rm "$pinned"
    "$environment/bin/python" -m pip install --quiet --no-deps "$wheel"
    touch "$environment/.complete"
fi
[ -L "$program/current" ] || ln -s "versions/$version" "$program/current"
mkdir -p "$root/usr/local/bin"
ln -sfn "$program/current/bin/commensal" "$root/usr/local/bin/commensal"
commensal=$program/current/bin/commensal

folder=$instances/$name
unfinished=$instances/.$name.new # while it is there, this was killed before the instance had its keys
if [ ! -e "$folder/instance.toml" ]; then
    say "the instance $name, in $folder"
    port=8000 # the next one that no instance has, and nothing listens on
    while grep -qsx "port = $port" "$instances"/*/instance.toml ||
        ! "$python" -c "import socket; socket.create_server(('127.0.0.1', $port))" 2>/dev/null; do port=$((port + 1)); done
    as_commensal touch "$unfinished"
    as_commensal "$commensal" init --instance "$folder" --name "$name" --base-url "https://$domain" --port "$port" \
        --language "${LANGUAGE:-fr}" --timezone "$(cat /etc/timezone 2>/dev/null || echo Europe/Paris)" \
        --sender "commensal@$domain" --backups "$backups/$name"
fi
if [ -e "$unfinished" ]; then
    as_commensal "$commensal" keys init --instance "$folder"
    rm "$unfinished"
fi

if [ ! -e "$units/commensal@.service" ]; then
    say "services for all instances, in $units"
    mkdir -p "$units"
    "$commensal" init --systemd --several --instance "$folder" --into "$units"
    systemctl daemon-reload
fi
mkdir -p "$sites/sites"
if [ ! -e "$sites/sites/$name" ]; then
    say "the site $domain, in $sites/sites/$name"
    site=$("$commensal" init --proxy caddy --instance "$folder")
    printf '%s\n' "$site" >"$sites/sites/$name"
    if ! grep -qs "^import sites/" "$sites/Caddyfile"; then
        [ ! -e "$sites/Caddyfile" ] || mv "$sites/Caddyfile" "$sites/Caddyfile.debian"
        echo "import sites/*" >"$sites/Caddyfile"
    fi
fi
systemctl enable --now --quiet "commensal@$name" "commensal-work@$name"
systemctl reload-or-restart caddy

say "done. https://$domain is served by commensal@$name. Its name, language and time zone, and [mail], are for you to"
say "set in $folder/instance.toml; then systemctl restart commensal@$name commensal-work@$name. What is missing:"
"$commensal" check --instance "$folder" || true
if ! "$commensal" user "$operator" --operator --link --instance "$folder"; then
    echo "For a link later: commensal user $operator --operator --link --instance $folder" >&2
fi
