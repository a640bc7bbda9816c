#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup.sh - puts ONNX Runtime, and a fast BLAS for PyTorch, into BUILD/peers, for the comparisons only
set -eu
BUILD=${BUILD:-build}
VERSION=1.30.0

command -v node > /dev/null && command -v npm > /dev/null || {
    echo "peers: node and npm are missing: apt-get install nodejs npm"
    exit 1
}
mkdir -p "$BUILD/peers"
[ -d "$BUILD/peers/node_modules/onnxruntime-node" ] ||
    npm install --prefix "$BUILD/peers" --ignore-scripts --no-audit --no-fund --loglevel error "onnxruntime-node@$VERSION"

# Where this fails PyTorch runs with the BLAS of the system.
[ -d "$BUILD/peers/openblas" ] || (
    mkdir -p "$BUILD/peers/openblas.new"
    cd "$BUILD/peers/openblas.new"
    apt-get download -qq libopenblas0-pthread > download.log 2>&1
    dpkg -x libopenblas0-pthread_*.deb .
    mv usr/lib/*/openblas-pthread ../openblas
    cd ..
    rm -r openblas.new
) || echo "peers: no OpenBLAS: PyTorch's float matrices will be slow"
