#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup.sh - installs ONNX Runtime into BUILD/peers, for the comparisons only; nothing else of Pare needs it
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
