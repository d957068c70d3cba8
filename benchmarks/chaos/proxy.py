"""A TCP proxy that spoils what it carries: `proxy.py LISTEN_PORT HOST PORT`, in a pod of its own, whose address the DNS
server gives in place of the node's.

Lines on standard input are JSON objects that change it from then on:
    delay    seconds that each way takes
    jitter   seconds, up to which each chunk takes more
    rate     bytes per second of each way of each connection; 0: any
    reset    mean number of bytes after which a connection is reset; 0: never
    stall    true: nothing is carried
"""

import asyncio
import json
import random
import socket
import struct
import sys

CHUNK = 16384
# What waits in one direction of one connection; beyond it the sender is held back.
CHUNKS_ON_THE_WAY = 64

faults = {"delay": 0.0, "jitter": 0.0, "rate": 0, "reset": 0, "stall": False}


def reset(writer):
    """RST, not FIN."""
    linger = struct.pack("ii", 1, 0)
    link = writer.get_extra_info("socket")
    if link is not None and not writer.transport.is_closing():
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


class Connection:
    def __init__(self, here, there):
        self.ends = (here[1], there[1])
        self.ways = ((here[0], there[1]), (there[0], here[1]))
        # Bytes until it is reset.
        self.left = None

    async def run(self):
        try:
            async with asyncio.TaskGroup() as tasks:
                for reader, writer in self.ways:
                    queue = asyncio.Queue(CHUNKS_ON_THE_WAY)
                    tasks.create_task(self.read(reader, queue))
                    tasks.create_task(self.write(queue, writer))
            for end in self.ends:
                end.close()
        except* OSError:
            for end in self.ends:
                reset(end)

    async def read(self, reader, queue):
        chunk = None
        while chunk != b"":
            chunk = await reader.read(CHUNK)
            due = asyncio.get_running_loop().time() + faults["delay"] + random.uniform(0, faults["jitter"])
            await queue.put((due, chunk))

    async def write(self, queue, writer):
        clock = asyncio.get_running_loop().time
        while True:
            due, chunk = await queue.get()
            if not chunk:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            while faults["stall"]:
                await asyncio.sleep(0.05)
            if due > clock():
                await asyncio.sleep(due - clock())
            if faults["rate"]:
                await asyncio.sleep(len(chunk) / faults["rate"])
            if not faults["reset"]:
                self.left = None
            else:
                if self.left is None:
                    self.left = random.expovariate(1 / faults["reset"])
                if self.left < len(chunk):
                    writer.write(chunk[:int(self.left)])
                    raise ConnectionResetError
                self.left -= len(chunk)
            writer.write(chunk)
            await writer.drain()


async def orders():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        faults.update(json.loads(line))


async def main(port, host, host_port):
    async def accept(reader, writer):
        try:
            there = await asyncio.open_connection(host, host_port)
        except OSError:
            return reset(writer)
        await Connection((reader, writer), there).run()

    await asyncio.start_server(accept, "0.0.0.0", port)
    print("ready", flush=True)
    await orders()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
