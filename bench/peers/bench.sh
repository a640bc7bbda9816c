#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - float and int8 in Pare, ONNX Runtime and PyTorch, side by side. Arguments: those of bench.js
. "$(dirname "$0")/build.sh"
case " $* " in
*" --public "*) needs_data ;;
*) needs_torch ;;
esac
exec node bench/peers/bench.js "$@"
