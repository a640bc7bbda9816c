#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD CC - installs into a scratch folder, moves it, and builds a program against it in both usual ways.
set -eu
build=$1
cc=$2
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! [ -e "$build/libpare.so" ]; then
    echo "install: the shared library is not built yet"
    exit 77
fi
cmake --install "$build" --prefix "$scratch/first" > "$scratch/log" || { cat "$scratch/log"; exit 1; }
mv "$scratch/first" "$scratch/prefix"
libdir=$(dirname "$(find "$scratch/prefix" -name libpare.so)")
version=$(sed -n 's/^project(pare VERSION \([0-9.]*\).*/\1/p' "$here/../CMakeLists.txt")

expect_version() # program
{
    said=$(LD_LIBRARY_PATH=$libdir "$1")
    [ "$said" = "$version" ] || { echo "install: $1 said \"$said\", want \"$version\""; exit 1; }
}

export PKG_CONFIG_PATH="$libdir/pkgconfig"
# shellcheck disable=SC2046 # the flags are meant to be split
$cc -std=c11 -o "$scratch/with_pkg_config" "$here/install_user.c" $(pkg-config --cflags --libs pare)
expect_version "$scratch/with_pkg_config"
[ "$(pkg-config --modversion pare)" = "$version" ] || { echo "install: pare.pc has another version"; exit 1; }

mkdir "$scratch/user"
cp "$here/install_user.c" "$scratch/user"
cat > "$scratch/user/CMakeLists.txt" << EOF
cmake_minimum_required(VERSION 3.20)
project(user C)
find_package(pare $version REQUIRED)
add_executable(with_cmake install_user.c)
target_link_libraries(with_cmake PRIVATE pare::pare)
EOF
{
    cmake -S "$scratch/user" -B "$scratch/user/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$scratch/prefix" &&
        cmake --build "$scratch/user/build"
} > "$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
expect_version "$scratch/user/build/with_cmake"

# The command, where it is built, must run from the installed tree without help.
if [ -e "$scratch/prefix/bin/pare" ]; then
    "$scratch/prefix/bin/pare" version | grep -q "$version" || { echo "install: the installed command fails"; exit 1; }
fi
echo "install: pkg-config and find_package both build against version $version"
