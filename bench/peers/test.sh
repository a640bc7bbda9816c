#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh - quantized models in ONNX Runtime: do they load, run in integers, and give the same bytes? Arguments: names
. "$(dirname "$0")/build.sh"
if [ -z "${PARE_DATA:-}" ] || [ ! -d "$PARE_DATA/models" ]; then
    echo "peers: PARE_DATA is not set to the folder of public models and data: skipped"
    exit 0
fi
exec node bench/peers/test.js "$@"
