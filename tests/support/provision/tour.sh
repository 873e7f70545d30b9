#!/bin/sh
# What `make run` does once the environment is there: first boot, then the console; without a terminal the same by command.
# CERTDECK_HOME names the folder of this checkout that stands for the appliance.
set -eu

if [ -t 0 ] && [ -t 1 ]; then
    certdeck first-boot >/dev/null
    exec certdeck
fi

step() {
    printf '\n$ certdeck %s\n' "$*"
    certdeck "$@"
}
step first-boot
step issue -d demo.example.com --issuer appliance-ca
step --renew --force
step status
