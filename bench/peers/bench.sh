#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - float and int8 in Pare and ONNX Runtime: one thread, batch 1, side by side. Arguments: names
. "$(dirname "$0")/build.sh"
exec node bench/peers/bench.js "$@"
