"""The other engines, one with one network: they answer like forward.cpp.

python peers.py openvino|openvino-bf16|onnxruntime NETWORK WIDTH HEIGHT CHANNELS
"""

import sys
import time

import numpy


def openvino(network, shape, precision):
    import openvino

    core = openvino.Core()
    core.set_property(
        "CPU",
        {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": precision,
            "ENABLE_CPU_PINNING": False,
        },
    )
    model = core.read_model(network)
    model.reshape(shape)
    request = core.compile_model(model, "CPU").create_infer_request()
    return lambda data: request.infer({0: data}, share_inputs=True, share_outputs=True)


def onnxruntime(network, shape, _):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda data: session.run(None, {name: data})


def main():
    engine, network, width, height, channels = sys.argv[1:]
    shape = [1, int(channels), int(height), int(width)]
    data = numpy.random.default_rng(7).uniform(-1, 1, shape).astype(numpy.float32)
    start = time.perf_counter()
    name, _, precision = engine.partition("-")
    run = {"openvino": openvino, "onnxruntime": onnxruntime}[name](network, shape, precision or "f32")
    run(data)
    run(data)
    print(f"{(time.perf_counter() - start) * 1000:.1f} 0 0 {engine}", flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            run(data)
            times.append((time.perf_counter() - start) * 1000)
        print(" ".join(f"{time:.4f}" for time in times), flush=True)


if __name__ == "__main__":
    main()
