"""Trains a small classifier with Keras, and writes it as a frozen graph of TensorFlow and as ONNX.

Both files hold the same network with the same weights, so that a node must answer the same from either.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers

import crops
import digits

SEED = 5
SCENES = 2000
CROPS_PER_DIGIT = 2
BATCH = 128
EPOCHS = 5
PEAK_RATE = 4e-3
NAME = "digits-keras"


def network():
    """[N, 32, 32, 1] grey in 0...1 to [N, 10] logits: plain and depthwise convolutions, pooling, one dense layer."""

    def normalised(x):
        return layers.ReLU()(layers.BatchNormalization()(x))

    image = keras.Input((crops.SIDE, crops.SIDE, 1), name="image")
    x = normalised(layers.Conv2D(16, 3, padding="same", use_bias=False)(image))
    x = layers.MaxPooling2D()(x)
    x = normalised(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    x = normalised(layers.Conv2D(32, 1, use_bias=False)(x))
    x = layers.MaxPooling2D()(x)
    x = normalised(layers.Conv2D(32, 3, padding="same", use_bias=False)(x))
    x = normalised(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    x = normalised(layers.Conv2D(48, 1, use_bias=False)(x))
    x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.2)(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(digits.CLASSES, name="logits")(x))


def inference(model):
    """The same function out of constants and TensorFlow's plain operations, each batch normalisation inside the
    convolution before it. Keras's own graph reshapes every bias, which OpenCV 4.6 cannot read."""

    weights = {layer.name: layer.get_weights() for layer in model.layers}

    def folded(convolution, normalisation, axes):
        (kernel,) = weights[convolution.name]
        gamma, beta, mean, variance = weights[normalisation.name]
        factor = gamma / np.sqrt(variance + normalisation.epsilon)
        return kernel * factor[axes], beta - mean * factor

    @tf.function(
        input_signature=[tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name="image")], autograph=False
    )
    def answer(image):
        x = image
        for layer, following in zip(model.layers, model.layers[1:] + [None]):
            match layer:
                case layers.DepthwiseConv2D():
                    # [height, width, channels, 1]
                    kernel, bias = folded(layer, following, (Ellipsis, None))
                    x = tf.nn.bias_add(tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME"), bias)
                case layers.Conv2D():
                    # [height, width, inputs, outputs]
                    kernel, bias = folded(layer, following, Ellipsis)
                    x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "SAME"), bias)
                case layers.ReLU():
                    x = tf.nn.relu(x)
                case layers.MaxPooling2D():
                    x = tf.nn.max_pool2d(x, 2, 2, "VALID")
                case layers.Flatten():
                    x = tf.reshape(x, [-1, layer.output.shape[1]])
                case layers.Dense():
                    matrix, bias = weights[layer.name]
                    x = tf.nn.bias_add(tf.matmul(x, matrix), bias, name="logits")
        return x

    return answer


def write(function, folder):
    """Input `image`, output `logits`."""
    graph = function.get_concrete_function().graph.as_graph_def()
    # What only returns the result, and is nothing of the network.
    outputs = [node for node in graph.node if node.name == "logits"]
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, [node.name for node in outputs])
    (folder / f"{NAME}.pb").write_bytes(graph.SerializeToString(deterministic=True))
    onnx, _ = tf2onnx.convert.from_graph_def(
        graph, name=NAME, input_names=["image:0"], output_names=["logits:0"], opset=11, inputs_as_nchw=["image:0"]
    )
    (folder / f"{NAME}.onnx").write_bytes(onnx.SerializeToString(deterministic=True))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--epochs", type=int, default=EPOCHS)
    arguments.add_argument("--output", type=Path, default=Path("."), help="folder")
    arguments.add_argument("--checkpoint", type=Path, help="where to leave the model of Keras, *.keras")
    options = arguments.parse_args()

    begin = time.monotonic()
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    source, held_out = digits.load()
    images, labels = (
        np.concatenate(parts)
        for parts in zip(crops.of_scenes(SEED, SCENES, source, CROPS_PER_DIGIT), crops.of_cells(SEED, source))
    )
    images = images[..., None].astype(np.float32) / 255
    print(f"{len(images)} crops, {time.monotonic() - begin:.0f} s", flush=True)

    model = network()
    model.compile(
        keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0, options.epochs * (len(images) // BATCH + 1) - 300, warmup_target=PEAK_RATE, warmup_steps=300
            ),
            weight_decay=0.02,
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.03),
        metrics=["accuracy"],
    )
    model.fit(images, keras.utils.to_categorical(labels, digits.CLASSES), BATCH, options.epochs, verbose=2)
    if options.checkpoint:
        model.save(options.checkpoint)

    cells = tf.image.resize(held_out.images[..., None].astype(np.float32) / 255, (crops.SIDE, crops.SIDE))
    function = inference(model)
    answers = function(cells).numpy()
    difference = float(np.abs(answers - model.predict(cells, verbose=0)).max())
    right = float((answers.argmax(1) == held_out.labels).mean())
    print(f"{model.count_params()} parameters, {right:.3f} of the held-out cells; as constants {difference:.1e} apart")
    write(function, options.output)


if __name__ == "__main__":
    main()
