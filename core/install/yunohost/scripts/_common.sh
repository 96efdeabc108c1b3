#!/bin/bash
# What several scripts share. YunoHost sets app, domain, port, install_dir and data_dir before it runs one.
# shellcheck disable=SC2154,SC2034

instance=$data_dir/instance
commensal=$install_dir/current/bin/commensal

the_wheel() { # the one that the package carries
    find ../conf -name 'commensal-*.whl'
}

# Each version lies in an environment of its own, and the link `current` says which is in use: as install.sh does it, so
# that `commensal upgrade` can put another beside it, and go back.
install_program() {
    local wheel version environment pinned
    wheel=$(the_wheel)
    version=$(basename "$wheel" | cut -d- -f2)
    environment=$install_dir/versions/$version
    if [ ! -e "$environment/.complete" ]; then
        rm -rf "$environment"
        python3 -m venv "$environment"
        pinned=$(mktemp)
        "$environment/bin/python" -c 'import sys, zipfile
print(zipfile.ZipFile(sys.argv[1]).read("commensal/project/core/release/constraints.txt").decode())' "$wheel" >"$pinned"
        "$environment/bin/python" -m pip install --quiet --no-deps --require-hashes --requirement "$pinned"
        rm "$pinned"
        "$environment/bin/python" -m pip install --quiet --no-deps "$wheel"
        touch "$environment/.complete"
    fi
    ln -sfn "versions/$version" "$install_dir/current"
}

add_services() {
    ynh_config_add_systemd
    ynh_config_add_systemd --service="$app-work" --template="systemd-work.service"
    yunohost service add "$app" --description="Commensal, web server"
    yunohost service add "$app-work" --description="Commensal, worker"
}

each_service() { # start or stop
    ynh_systemctl --service="$app" --action="$1"
    ynh_systemctl --service="$app-work" --action="$1"
}
