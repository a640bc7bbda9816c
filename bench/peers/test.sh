#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh - quantized models in ONNX Runtime: do they run in integers, with the same bytes? Arguments: those of test.js, or
# --weights: state dicts of PyTorch and NumPy, read and written (weights.py); or
# --gradients: those of whole networks, beside PyTorch's (gradients.py; more arguments are its own)
. "$(dirname "$0")/build.sh"
case " $* " in
*" --weights "*)
    needs_torch
    exec "$PYTHON" bench/peers/weights.py
    ;;
*" --gradients "*)
    needs_torch
    shift
    exec "$PYTHON" bench/peers/gradients.py "$@"
    ;;
*" --networks "*) needs_torch ;;
*) needs_data ;;
esac
exec node bench/peers/test.js "$@"
