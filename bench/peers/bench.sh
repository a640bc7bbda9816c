#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh - float and int8 in Pare, ONNX Runtime and PyTorch, side by side. Arguments: those of bench.js
. "$(dirname "$0")/build.sh"
case " $* " in
*" --public "*)
    if [ -z "${PARE_DATA:-}" ] || [ ! -d "$PARE_DATA/models" ]; then
        echo "peers: PARE_DATA is not set to the folder of public models and data: skipped"
        exit 0
    fi
    ;;
*)
    for PYTHON in "${PYTHON:-python3}" /usr/bin/python3; do
        "$PYTHON" -c "import torch, torchvision, onnx" 2> /dev/null && break
        PYTHON=
    done
    [ -n "$PYTHON" ] || {
        echo "peers: PyTorch is missing: apt-get install python3-torch python3-torchvision python3-onnx"
        exit 1
    }
    export PYTHON
    ;;
esac
exec node bench/peers/bench.js "$@"
