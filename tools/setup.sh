#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup.sh [PACKAGE...] - installs the Debian packages that a build needs, and those named, where they are missing.
set -eu
wanted="build-essential cmake ninja-build pkg-config libjansson-dev libzip-dev libturbojpeg0-dev libpng-dev libcmocka-dev $*"

if ! command -v dpkg-query > /dev/null; then
    echo "setup: no Debian here; see to it yourself that these are installed: $wanted"
    exit 0
fi
missing=""
for package in $wanted; do
    case $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2> /dev/null || true) in
    *installed*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

root=""
if [ "$(id -u)" -ne 0 ]; then
    root="sudo"
    if ! command -v sudo > /dev/null; then
        echo "setup: packages are missing; as root, run: apt-get update && apt-get install$missing"
        exit 1
    fi
fi
echo "setup: installing$missing"
$root apt-get update -q
# shellcheck disable=SC2086 # one word per package
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
