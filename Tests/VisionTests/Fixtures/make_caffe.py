#!/usr/bin/env python3
"""Makes the tests' networks of Caffe, without Caffe (needs the packages numpy and onnx).

`mean-colour` has answers that anybody can work out. `digits-keras` is the bundled network of that name, converted: three
formats, one network. A .caffemodel is a NetParameter of Caffe's public caffe.proto, of which only the blobs matter here.
"""
import os
import struct

import numpy as np
import onnx
from onnx import numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
BUNDLED = os.path.join(HERE, "../../../Sources/framemesh/Resources/models")
# Field numbers of caffe.proto.
NET_NAME, NET_LAYER = 1, 100
LAYER_NAME, LAYER_TYPE, LAYER_BLOBS = 1, 2, 7
BLOB_DATA, BLOB_SHAPE, SHAPE_DIM = 5, 7, 1


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, content):
    """Length-delimited: a message, a text, or packed numbers."""
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(array):
    shape = field(SHAPE_DIM, b"".join(varint(side) for side in array.shape))
    return field(BLOB_SHAPE, shape) + field(BLOB_DATA, struct.pack(f"<{array.size}f", *array.flatten()))


class Net:
    """A chain of layers, from `picture` on."""

    def __init__(self, name, channels, side):
        self.name, self.top, self.model = name, "picture", field(NET_NAME, name)
        shape = f"shape {{ dim: 1 dim: {channels} dim: {side} dim: {side} }}"
        self.text = [
            f'name: "{name}"',
            f'layer {{ name: "picture" type: "Input" top: "picture" input_param {{ {shape} }} }}',
        ]

    def add(self, name, kind, parameters="", blobs=()):
        self.text.append(
            f'layer {{ name: "{name}" type: "{kind}" bottom: "{self.top}" top: "{name}" {parameters} }}')
        layer = field(LAYER_NAME, name) + field(LAYER_TYPE, kind)
        self.model += field(NET_LAYER, layer + b"".join(field(LAYER_BLOBS, blob(array)) for array in blobs))
        self.top = name

    def write(self):
        with open(os.path.join(HERE, self.name + ".prototxt"), "w") as file:
            file.write("\n".join(self.text) + "\n")
        with open(os.path.join(HERE, self.name + ".caffemodel"), "wb") as file:
            file.write(self.model)


def mean_colour():
    """The first class is the mean of the last channel, the second a quarter and half of the middle one's, the third the
    mean of the first."""
    net = Net("mean-colour", 3, 16)
    net.add("mean", "Pooling", "pooling_param { pool: AVE global_pooling: true }")
    weights = np.array([[0, 0, 1], [0, 0.5, 0], [1, 0, 0]])
    net.add("classes", "InnerProduct", "inner_product_param { num_output: 3 }", [weights, np.array([0, 0.25, 0])])
    net.write()


def digits():
    graph = onnx.load(os.path.join(BUNDLED, "digits-keras.onnx")).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    net, count, shape, dense = Net("digits-keras", 1, 32), 0, None, None
    for node in graph.node:
        values = [constants[name] for name in node.input if name in constants]
        count += 1
        if node.op_type == "Conv":
            weights, bias = values
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            net.add(f"conv{count}", "Convolution",
                    f"convolution_param {{ num_output: {len(weights)} kernel_size: {weights.shape[2]} "
                    f"pad: {weights.shape[2] // 2} group: {attributes.get('group', 1)} }}", [weights, bias])
            shape = weights.shape
        elif node.op_type == "Relu":
            net.add(f"relu{count}", "ReLU")
        elif node.op_type == "MaxPool":
            net.add(f"pool{count}", "Pooling", "pooling_param { pool: MAX kernel_size: 2 stride: 2 }")
        elif node.op_type == "MatMul":
            (dense,) = values
        elif node.op_type == "Add":
            # TensorFlow's last axis is that of the channels, Caffe's first one is.
            channels, side = shape[0], 4
            weights = dense.reshape(side, side, channels, -1).transpose(3, 2, 0, 1).reshape(dense.shape[1], -1)
            net.add("logits", "InnerProduct", f"inner_product_param {{ num_output: {len(weights)} }}",
                    [weights, values[0].reshape(-1)])
        elif node.op_type not in ("Reshape", "Transpose"):
            raise SystemExit(f"unexpected {node.op_type}")
    net.write()


mean_colour()
digits()
