#!/usr/bin/env python3
"""Makes the tiny networks of the tests, whose answers anybody can work out (needs the package onnx)."""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, nodes, output, output_shape, weights, side, batch="N"):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [batch, 3, side, side])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)],
        [numpy_helper.from_array(array, key) if array.dtype == np.int64 else
         numpy_helper.from_array(array.astype(np.float32), key) for key, array in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    model.ir_version = 6
    save(model, os.path.join(HERE, name + ".onnx"))


# One cell for each 4 x 4 pixels of 32 x 32: an object where they are bright (logit 20 * brightness - 10), one cell large.
weight = np.zeros((6, 3, 4, 4))
weight[0] = 20 / 48
bias = np.array([-10, 0, 0, 0, 0, 0])
write("bright-cells",
      [helper.make_node("Conv", ["picture", "weight", "bias"], ["grid"], kernel_shape=[4, 4], strides=[4, 4])],
      "grid", ["N", 6, 8, 8], {"weight": weight, "bias": bias}, 32)

# Three classes: the mean of each channel.
mean = [helper.make_node("GlobalAveragePool", ["picture"], ["mean"])]
write("mean-colour", mean + [helper.make_node("Flatten", ["mean"], ["classes"])], "classes", ["N", 3], {}, 16)

# The same, but pictures of a batch change each other's answers.
write("mixes-batches",
      mean + [helper.make_node("Flatten", ["mean"], ["flat"]), helper.make_node("Softmax", ["flat"], ["classes"], axis=0)],
      "classes", ["N", 3], {}, 16)

# One number for all pictures together, which has no sides.
write("one-number", [helper.make_node("ReduceMean", ["picture"], ["number"], keepdims=0)], "number", [], {}, 16)

# Layers of many kinds, for one picture: channels are shuffled and parted, borders are rounded, numbers move.
random = np.random.default_rng(5)
weights = {"apart": np.array([1, 2, 12, 256]),
           "together": np.array([1, 24, 16, 16]), "rows": np.array([1, -1, 4]), "scales": np.array([1.0, 1, 2, 2]),
           "begin": np.array([0]), "middle": np.array([12]), "end": np.array([24]), "channels": np.array([1])}
for name, shape in {"stem": (24, 3, 3, 3), "depth": (12, 1, 3, 3), "mix": (24, 24, 1, 1), "wide": (12, 24, 3, 3),
                    "classes": (5, 12)}.items():
    weights[name] = random.uniform(-0.3, 0.3, shape)
make = helper.make_node
write("many-layers", [
    make("Conv", ["picture", "stem"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    make("Clip", ["a"], ["b"], min=0.0, max=0.5),  # As OpenCV 4.6 reads it.
    make("Reshape", ["b", "apart"], ["c"]),
    make("Transpose", ["c"], ["d"], perm=[0, 2, 1, 3]),
    make("Reshape", ["d", "together"], ["e"]),
    make("Slice", ["e", "begin", "middle", "channels"], ["f"]),
    make("Slice", ["e", "middle", "end", "channels"], ["g"]),
    make("Conv", ["f", "depth"], ["h"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=12),
    make("Elu", ["h"], ["i"], alpha=0.7),
    make("Tanh", ["g"], ["j"]),
    make("Concat", ["j", "i"], ["k"], axis=1),
    make("Conv", ["k", "mix"], ["l"], kernel_shape=[1, 1]),
    make("Add", ["b", "l"], ["m"]),
    make("Sigmoid", ["m"], ["n"]),
    make("MaxPool", ["n"], ["o"], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    make("AveragePool", ["o"], ["p"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    make("Resize", ["p", "", "scales"], ["q"], mode="nearest", coordinate_transformation_mode="asymmetric",
         nearest_mode="floor"),
    make("Conv", ["q", "wide"], ["r"], kernel_shape=[3, 3], dilations=[2, 2], pads=[2, 2, 2, 2]),
    make("LeakyRelu", ["r"], ["s"], alpha=0.2),
    make("Transpose", ["s"], ["t"], perm=[0, 2, 3, 1]),
    make("Reshape", ["t", "rows"], ["u"]),
    make("Softmax", ["u"], ["answer"], axis=2),
], "answer", [1, 768, 4], weights, 16, batch=1)
