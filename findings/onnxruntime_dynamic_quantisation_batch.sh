#!/usr/bin/env bash
# A network that ONNX Runtime quantised dynamically answers an image by the company it keeps in the batch.
#
# Versions: onnxruntime 1.31.1, onnx 1.23.2, numpy 2.4.6; Python 3.11, Linux x86-64.
#
# Guess: dynamic quantisation finds the range of the activations anew for each sample, so that an image has the same
# logits alone and among others, as in the float network.
# In fact: `DynamicQuantizeLinear` takes one range over the whole tensor, and the batch is an axis of it. Brighter images
# beside an image widen the range, and its own activations are rounded more coarsely. Here dim images move by 1.8 % of the
# span of their logits if bright ones are among the 32. Two evaluations of one file that differ in batch size alone, or in
# the order of images, give other numbers. With a batch of one image the answers are a function of the image.
#
# Output:
#   float: dim images alone and among 16 bright ones differ by 0.00000 of the span
#   dynamic int8: dim images alone and among 16 bright ones differ by 0.01791 of the span
#   dynamic int8: dim images among dim ones and among bright ones differ by 0.01703 of the span
#   dynamic int8: the first node of the graph is DynamicQuantizeLinear
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import logging

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

logging.disable(logging.WARNING)
rng = np.random.default_rng(0)
weights = {name: rng.normal(size=shape).astype(np.float32) / 8 for name, shape in (("a", (64, 128)), ("b", (128, 10)))}
nodes = [
    helper.make_node("MatMul", ["x", "a"], ["hidden"]),
    helper.make_node("Relu", ["hidden"], ["active"]),
    helper.make_node("MatMul", ["active", "b"], ["y"]),
]
graph = helper.make_graph(
    nodes,
    "net",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
    [numpy_helper.from_array(values, name) for name, values in weights.items()],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "float.onnx")
quantize_dynamic("float.onnx", "int8.onnx", weight_type=QuantType.QInt8)

images = rng.random((32, 64)).astype(np.float32)
images[16:] *= 4
apart = {}
for name, path in (("float", "float.onnx"), ("dynamic int8", "int8.onnx")):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def answers(some, session=session):
        return session.run(None, {"x": some})[0]

    among = answers(images)[:16]
    alone = np.concatenate([answers(images[place : place + 1]) for place in range(16)])
    span = np.ptp(among, axis=1).max()
    apart[name] = np.abs(among - alone).max() / span
    print(f"{name}: dim images alone and among 16 bright ones differ by {apart[name]:.5f} of the span")
dim = np.abs(answers(images[:16]) - among).max() / span
print(f"dynamic int8: dim images among dim ones and among bright ones differ by {dim:.5f} of the span")
first = onnx.load("int8.onnx").graph.node[0].op_type
print(f"dynamic int8: the first node of the graph is {first}")
assert apart["float"] < 1e-6
assert 0.005 < apart["dynamic int8"] < 0.1
assert dim > 0.005
assert first == "DynamicQuantizeLinear"
PYTHON
