#!/usr/bin/env python3
"""Makes the tiny networks of the tests, whose answers anybody can work out (needs the package onnx)."""
import os

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, nodes, output, output_shape, weights, side):
    graph = helper.make_graph(
        nodes, name,
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, side, side])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)],
        [numpy_helper.from_array(array.astype(np.float32), key) for key, array in weights.items()])
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
