#!/usr/bin/env python3
"""What the gateway costs: one 640×480 JPEG through HTTP and through gRPC, in turns, at concurrency 1, on one mesh.

    benchmarks/gateway/overhead.py

Needs a release build. Both callers keep one connection. Prints p50 of both, of all rounds together, and the difference.
"""
import argparse
import http.client
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
framemesh = root / '.build/release/framemesh'
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument('--picture', type=pathlib.Path, default=root / 'Sources/framemesh/Resources/demo/numbers-01.jpg')
options.add_argument('--seconds', type=float, default=4, help='of each measurement')
options.add_argument('--rounds', type=int, default=3)
chosen = options.parse_args()
picture, seconds, rounds = chosen.picture, chosen.seconds, chosen.rounds


def direct(coordinator):
    """p50 of gRPC, ms."""
    out = subprocess.run(
        [framemesh, 'bench', '--coordinator', coordinator, '--pipeline', 'detect', '--concurrency', '1', '--warmup', '1',
         '--duration', str(seconds), '--input', picture, '--json'], check=True, capture_output=True, text=True).stdout
    return json.loads(out)['latency_ms']['p50']


def through_gateway(address):
    """p50 of HTTP, ms."""
    connection = http.client.HTTPConnection(address)
    connection.connect()
    connection.sock.setsockopt(6, 1, 1)  # TCP_NODELAY, as the gRPC client has it.
    body = picture.read_bytes()
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds + 1:
        start = time.perf_counter()
        connection.request('POST', '/v1/images:analyze?pipeline=detect', body, {'Content-Type': 'image/jpeg'})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        if start - begin > 1:
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main():
    with tempfile.TemporaryDirectory() as data:
        mesh = subprocess.Popen(
            [framemesh, 'up', '--coordinator-port', '0', '--gateway-port', '0', '--gateway-data', data, '--detectors', '1',
             '--classifiers', '0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            coordinator = mesh.stdout.readline().strip().removeprefix('ready coordinator=')
            gateway = mesh.stdout.readline().strip().removeprefix('ready gateway=http://')
            pairs = [(direct(coordinator), through_gateway(gateway)) for _ in range(rounds)]
        finally:
            mesh.terminate()
            mesh.wait()
    for grpc, gate in pairs:
        print(f'gRPC p50 {grpc:.2f} ms, gateway p50 {gate:.2f} ms, difference {gate - grpc:.2f} ms')
    print(f'median difference: {statistics.median(gate - grpc for grpc, gate in pairs):.2f} ms')


main()
