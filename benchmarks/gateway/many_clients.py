#!/usr/bin/env python3
"""500 clients that upload pictures at one time: no answer but 200 and 429, and a gateway whose memory stays flat.

    benchmarks/gateway/many_clients.py [--clients N] [--seconds S] [--json FILE]

Needs a release build. Each client keeps a connection, and waits as long as Retry-After says when it is refused. Ends with 1
if there were other answers, or if the last third took more memory than the second, and a tenth and 16 MiB beside.
"""
import argparse
import asyncio
import collections
import pathlib
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(root / 'benchmarks'))
import framemesh  # noqa: E402

picture = root / 'Sources/framemesh/Resources/demo/numbers-01.jpg'
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument('--clients', type=int, default=500)
options.add_argument('--seconds', type=float, default=30)
options.add_argument('--json', type=pathlib.Path)
chosen = options.parse_args()
clients, seconds = chosen.clients, chosen.seconds


def resident(pid):
    """KiB."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1])
    return 0


def gateway_of(pid):
    for entry in pathlib.Path('/proc').iterdir():
        try:
            if entry.name.isdigit() and b'\0gateway\0' in (entry / 'cmdline').read_bytes() and \
                    f'PPid:\t{pid}\n' in (entry / 'status').read_text():
                return int(entry.name)
        except OSError:
            pass
    raise SystemExit('the mesh has no gateway')


async def client(host, port, request, end, counts):
    reader = writer = None
    while time.monotonic() < end:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            head = (await reader.readuntil(b'\r\n\r\n')).decode()
            fields = dict(line.split(': ', 1) for line in head.split('\r\n')[1:] if ': ' in line)
            fields = {name.lower(): value for name, value in fields.items()}
            await reader.readexactly(int(fields.get('content-length', 0)))
            counts[head.split()[1]] += 1
            if fields.get('connection') == 'close':
                writer.close()
                writer = None
            if 'retry-after' in fields:
                await asyncio.sleep(float(fields['retry-after']))
        except (OSError, asyncio.IncompleteReadError) as error:
            counts[type(error).__name__] += 1
            writer = None
    if writer:
        writer.close()


async def load(address, pid):
    host, port = address.rsplit(':', 1)
    body = picture.read_bytes()
    request = (f'POST /v1/images:analyze?pipeline=detect HTTP/1.1\r\nHost: {address}\r\nContent-Type: image/jpeg\r\n'
               f'Content-Length: {len(body)}\r\n\r\n').encode() + body
    counts = collections.Counter()
    end = time.monotonic() + seconds
    tasks = [asyncio.create_task(client(host, int(port), request, end, counts)) for _ in range(clients)]
    sizes = []
    while time.monotonic() < end:
        await asyncio.sleep(seconds / 9)
        sizes.append(resident(pid))
    await asyncio.gather(*tasks)
    return counts, sizes


def main():
    environment = framemesh.environment()
    with tempfile.TemporaryDirectory() as data:
        mesh = subprocess.Popen(
            [framemesh.PROGRAM, 'up', '--coordinator-port', '0', '--gateway-port', '0', '--gateway-data', data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            mesh.stdout.readline()
            address = mesh.stdout.readline().strip().removeprefix('ready gateway=http://')
            counts, sizes = asyncio.run(load(address, gateway_of(mesh.pid)))
        finally:
            mesh.terminate()
            mesh.wait()
    print(f'{clients} clients, {seconds:.0f} s:', ', '.join(f'{count} × {name}' for name, count in sorted(counts.items())))
    print('resident MiB, each ninth:', ' '.join(f'{size / 1024:.0f}' for size in sizes))
    if chosen.json:
        framemesh.write(chosen.json, {
            'environment': environment, 'clients': clients, 'seconds': seconds, 'answers': dict(sorted(counts.items())),
            'resident_kib': sizes})
    if set(counts) - {'200', '429'}:
        raise SystemExit('there were other answers')
    before, after = max(sizes[3:6]), max(sizes[6:])
    if after > 1.1 * before + (16 << 10):
        raise SystemExit(f'memory grew from {before / 1024:.0f} to {after / 1024:.0f} MiB')


main()
