#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD - the committed small network and its integer twins side by side: accuracy, size, latency. 8 bits are a
# matter of calibration; 4 bits are trained. The pictures are computed (ten classes of shapes in clutter and noise), so
# that nothing is downloaded.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-${BUILD:-build}}
pare=$build/pare
float=$here/examples/demo.onnx
[ -x "$pare" ] || { echo "demo: $pare is not there; run make first"; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The first number behind a key in JSON on standard input.
value()
{
    sed -n "s/.*\"$1\": \([0-9.e+-]*\).*/\1/p"
}

# The models of `pare eval --json`, one a line.
models()
{
    tr '{' '\n' | grep '"file"'
}

percent()
{
    awk -v x="$1" 'BEGIN { printf "%.1f %%", 100 * x }'
}

say()
{
    printf '%s\n' "$*" >&2
}

row() # name, model
{
    evaluation=$("$pare" eval "$float" "$2" --data demo:test --json)
    accuracy=$(printf '%s' "$evaluation" | models | sed -n 2p | value top1)
    equal=$(printf '%s' "$evaluation" | value equal)
    latency=$("$pare" bench "$2" --threads 1 --seconds 1 --json | value median_ms)
    bytes=$(wc -c < "$2")
    printf '%-12s  %8s  %16s  %7.1f kB  %10.3f ms\n' "$1" "$(percent "$accuracy")" "$(percent "$equal")" \
        "$(awk -v x="$bytes" 'BEGIN { print x / 1000 }')" "$latency"
}

say "quantizing examples/demo.onnx: dynamic, then static with 200 generated pictures"
"$pare" quantize "$float" --mode dynamic -o "$out/dynamic.onnx" > "$out/log"
"$pare" quantize "$float" --mode static --calib demo:train -o "$out/static.onnx" > "$out/log"
# As training does by itself: the first and the last layer keep 8 bits.
cat > "$out/recipe.json" << END
{"weight_bits": 4, "activation_bits": 4, "layers": [
  {"name": "/0/0.0/Conv", "weight_bits": 8, "activation_bits": 8},
  {"name": "/7/Gemm", "weight_bits": 8, "activation_bits": 8}]}
END
"$pare" quantize "$float" --mode static --calib demo:train --recipe "$out/recipe.json" \
    -o "$out/static4.onnx" > "$out/log"
say "training with 4 bits: 3 epochs of 4000 generated pictures"
"$pare" train --qat "$float" --data demo:train --weight-bits 4 --activation-bits 4 --epochs 3 --lr 0.02 \
    --schedule cosine -o "$out/trained4.onnx" > "$out/log"
say "evaluating on 1000 other pictures, timing on one thread"
printf '%-12s  %8s  %16s  %10s  %13s\n' "model" "accuracy" "equal to float" "size" "latency"
row "float" "$float"
row "int8 dynamic" "$out/dynamic.onnx"
row "int8 static" "$out/static.onnx"
row "4 bit static" "$out/static4.onnx"
row "4 bit QAT" "$out/trained4.onnx"
