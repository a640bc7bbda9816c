#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh - quantized models in ONNX Runtime: do they load, run in integers, and give the same bytes? Arguments: names
. "$(dirname "$0")/build.sh"
exec node bench/peers/test.js "$@"
