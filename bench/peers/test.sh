#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh - quantized models in ONNX Runtime: do they run in integers, with the same bytes? Arguments: those of test.js, or
# --weights: state dicts of PyTorch and NumPy, read and written (weights.py)
. "$(dirname "$0")/build.sh"
case " $* " in
*" --weights "*)
    needs_torch
    exec "$PYTHON" bench/peers/weights.py
    ;;
*" --networks "*) needs_torch ;;
*) needs_data ;;
esac
exec node bench/peers/test.js "$@"
