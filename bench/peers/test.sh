#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh - quantized models in ONNX Runtime: do they run in integers, with the same bytes? Arguments: those of test.js
. "$(dirname "$0")/build.sh"
case " $* " in
*" --networks "*) needs_torch ;;
*) needs_data ;;
esac
exec node bench/peers/test.js "$@"
