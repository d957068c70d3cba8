#!/usr/bin/env python3
"""What the gateway costs: one 640×480 JPEG through HTTP and through gRPC, in turns, at concurrency 1, on one mesh.

    benchmarks/gateway/overhead.py [--picture FILE] [--requests N] [--rounds N] [--json FILE]

Needs a release build and h2load (package nghttp2-client), which is the client of both: one connection, one request at a
time, the same bytes of the same picture. Prints p50 of both in each round, the median of the differences, and what the
gateway and the coordinator take of a processor for a picture through HTTP, which depends less on who else is there.
"""
import argparse
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(root / 'benchmarks'))
import framemesh  # noqa: E402

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument('--picture', type=pathlib.Path, default=root / 'Sources/framemesh/Resources/demo/numbers-01.jpg')
options.add_argument('--requests', type=int, default=150, help='of each measurement, of which the first fifth is warm-up')
options.add_argument('--rounds', type=int, default=15)
options.add_argument('--json', type=pathlib.Path)
chosen = options.parse_args()


def varint(number):
    out = b''
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def p50(folder, body, *arguments):
    """p50 in ms of `chosen.requests` posts of `body`, all of which have to be answered with 200."""
    data, log = folder / 'body', folder / 'log'
    data.write_bytes(body)
    log.unlink(missing_ok=True)
    subprocess.run(['h2load', '--requests', str(chosen.requests), '--clients', '1', '--max-concurrent-streams', '1',
                    '--data', data, '--log-file', log, *arguments], check=True, stdout=subprocess.DEVNULL)
    answers = [line.split('\t') for line in log.read_text().splitlines()]
    assert len(answers) == chosen.requests and all(status == '200' for _, status, _ in answers), answers[:3]
    return statistics.median(int(micros) for _, _, micros in answers[len(answers) // 5:]) / 1000


def children(pid):
    """Process ids by role."""
    found = {}
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        for child in (task / 'children').read_text().split():
            found[pathlib.Path(f'/proc/{child}/cmdline').read_text().split('\0')[1]] = child
    return found


def processor_time(pid):
    """Of all threads, in ms."""
    times = (int((task / 'schedstat').read_text().split()[0]) for task in pathlib.Path(f'/proc/{pid}/task').iterdir())
    return sum(times) / 1e6


def main():
    environment = framemesh.environment()
    picture = chosen.picture.read_bytes()
    request = field(2, b'detect') + field(100, picture)
    message = struct.pack('>BI', 0, len(request)) + request
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        mesh = subprocess.Popen(
            [framemesh.PROGRAM, 'up', '--coordinator-port', '0', '--gateway-port', '0', '--gateway-data', folder / 'data',
             '--detectors', '1', '--classifiers', '0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            coordinator = mesh.stdout.readline().strip().removeprefix('ready coordinator=')
            gateway = mesh.stdout.readline().strip().removeprefix('ready gateway=')
            rounds, taken = [], {'gateway': [], 'coordinator': []}
            pids = children(mesh.pid)
            for _ in range(chosen.rounds):
                direct = p50(folder, message, '--header', 'content-type: application/grpc', '--header', 'te: trailers',
                             f'http://{coordinator}/framemesh.v1.Vision/Analyze')
                before = {role: processor_time(pids[role]) for role in taken}
                through = p50(folder, picture, '--h1', '--header', 'content-type: image/jpeg',
                              f'{gateway}/v1/images:analyze?pipeline=detect')
                for role, times in taken.items():
                    times.append((processor_time(pids[role]) - before[role]) / chosen.requests)
                rounds.append({'grpc_p50_ms': direct, 'gateway_p50_ms': through})
                print(f'gRPC p50 {direct:.2f} ms, gateway p50 {through:.2f} ms, difference {through - direct:.2f} ms')
        finally:
            mesh.terminate()
            mesh.wait()
    difference = statistics.median(each['gateway_p50_ms'] - each['grpc_p50_ms'] for each in rounds)
    processor = {role: statistics.median(times) for role, times in taken.items()}
    print(f'median difference: {difference:.2f} ms')
    for role, time in processor.items():
        print(f'{role}: {time:.2f} ms of a processor for each picture')
    if chosen.json:
        framemesh.write(chosen.json, {
            'environment': environment, 'median_difference_ms': difference, 'processor_ms': processor, 'rounds': rounds})


main()
