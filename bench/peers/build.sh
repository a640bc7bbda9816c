# SPDX-License-Identifier: Apache-2.0
# build.sh - sourced by test.sh and bench.sh: looks for what they need and makes BUILD/peers/pare_peer
set -eu
cd "$(dirname "$0")/../.."
BUILD=$(cd "${BUILD:-build}" && pwd)
export BUILD

if [ ! -d "$BUILD/peers/node_modules/onnxruntime-node" ]; then
    echo "peers: ONNX Runtime is not installed: run bench/peers/setup.sh"
    exit 1
fi
if [ ! -x "$BUILD/peers/pare_peer" ] || [ bench/peers/pare_peer.c -nt "$BUILD/peers/pare_peer" ]; then
    ${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Iinclude bench/peers/pare_peer.c -o "$BUILD/peers/pare_peer" \
        -L"$BUILD" -lpare -lm -Wl,-rpath,"$BUILD"
fi

# Public models need PARE_DATA, networks need PyTorch, which makes them. test.js takes the ones and bench.js the others
# unless told.
needs_data() {
    if [ -z "${PARE_DATA:-}" ] || [ ! -d "$PARE_DATA/models" ]; then
        echo "peers: PARE_DATA is not set to the folder of public models and data: skipped"
        exit 0
    fi
}

needs_torch() {
    for PYTHON in "${PYTHON:-python3}" /usr/bin/python3; do
        "$PYTHON" -c "import torch, torchvision, onnx" 2> /dev/null && break
        PYTHON=
    done
    [ -n "$PYTHON" ] || {
        echo "peers: PyTorch is missing: apt-get install python3-torch python3-torchvision python3-onnx"
        exit 1
    }
    export PYTHON
}
