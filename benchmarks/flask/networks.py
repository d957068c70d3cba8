"""A network on one of several engines, with as many threads as it is told: `load` returns what runs it, from a blob (NCHW, float32)
to a list of outputs. Not for two threads at once."""

import cv2

# OpenVINO's default precision is bf16 on processors that have it.
PRECISIONS = {"openvino": "f32", "openvino-default": None}
ENGINES = ("opencv", "onnxruntime", *PRECISIONS)


def load(engine, network, weights, outputs, threads):
    """`weights`: of a Darknet network, else None. `outputs`: their names, as OpenCV and an ONNX file call them; None: all."""
    # Also what prepares pictures for the others.
    cv2.setNumThreads(threads)
    if engine == "opencv":
        return opencv(network, weights, outputs)
    if weights:
        raise SystemExit(f"{engine} reads ONNX, and {network} is Darknet's")
    return onnxruntime(network, outputs, threads) if engine == "onnxruntime" else openvino(network, outputs, threads, PRECISIONS[engine])


def opencv(network, weights, outputs):
    net = cv2.dnn.readNetFromDarknet(network, weights) if weights else cv2.dnn.readNetFromONNX(network)
    names = outputs or net.getUnconnectedOutLayersNames()

    def run(blob):
        net.setInput(blob)
        return net.forward(names)

    return run


def onnxruntime(network, outputs, threads):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda blob: session.run(outputs, {name: blob})


def openvino(network, outputs, threads, precision):
    import openvino as ov

    # Pinned, two processes would share a core.
    properties = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False}
    if precision:
        properties["INFERENCE_PRECISION_HINT"] = precision
    request = ov.compile_model(network, "CPU", properties).create_infer_request()

    def run(blob):
        found = request.infer({0: blob}, share_inputs=True)
        return [found[name] for name in outputs] if outputs else list(found.values())

    return run
