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
