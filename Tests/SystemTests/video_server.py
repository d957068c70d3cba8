"""A server of videos and live pictures: video_server.py FOLDER

Prints its port, then `called PATH` for each request, and ends with its standard input. A file of the folder comes with its size,
under /unsized/ without, under /half/ only the first half of it, without, and under /ranges/ any part of it that is asked for
(`called PATH from BYTE`). /parts/N is a live source: the JPEGs of the folder over and over, 25 a second, whose connection ends
after N of them; under /sized/N it says that a great many bytes come. Others: /401, /silent, /away (to another host), /secure (to https), /scheme (to a
local file), /circle (to itself), /list (a playlist of local and other files); /403?… wants the
password "s3cret".
"""

import base64
import http.server
import itertools
import pathlib
import sys
import threading
import time

folder = pathlib.Path(sys.argv[1])
pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
over = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    # What is no HTTP, such as RTSP, is answered in HTTP all the same.
    default_request_version = "HTTP/1.0"

    def do_GET(self):
        path = self.path.split("?")[0]
        kind, _, rest = path[1:].partition("/")
        start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0]) if kind == "ranges" else 0
        print("called", path + (f" from {start}" if start else ""), flush=True)
        if kind in ("parts", "sized"):
            size = ["Content-Length: 2147483647"] if kind == "sized" else []
            self.begin(200, "Content-Type: multipart/x-mixed-replace; boundary=frame", *size)
            return self.parts(int(rest))
        if kind == "401":
            return self.begin(401, 'WWW-Authenticate: Basic realm="cameras"', "Content-Length: 0")
        if kind == "403":
            named = base64.b64encode(b"user:s3cret").decode()
            if self.headers.get("Authorization") != f"Basic {named}":
                return self.begin(401, 'WWW-Authenticate: Basic realm="cameras"', "Content-Length: 0")
            kind, path = rest, "/" + rest
        if kind == "silent":
            return over.wait()
        if kind == "away":
            return self.begin(302, "Location: http://127.0.0.2:9/a?key=t0ken", "Content-Length: 0")
        if kind == "secure":
            place = self.headers["Host"]
            return self.begin(302, f"Location: https://{place}/a?key=t0ken", "Content-Length: 0")
        if kind in ("scheme", "circle"):
            place = "file:///etc/passwd" if kind == "scheme" else self.path
            return self.begin(301, f"Location: {place}", "Content-Length: 0")
        if kind == "list":
            port = self.server.server_address[1]
            lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", "file:///etc/passwd", "#EXTINF:1,",
                     f"http://127.0.0.1:{port}/stolen", "#EXT-X-ENDLIST"]
            return self.body(("\n".join(lines) + "\n").encode())
        file = folder / (rest if kind in ("unsized", "half", "ranges") else path[1:])
        if not file.is_file():
            return self.begin(404, "Content-Length: 0")
        data = file.read_bytes()
        if kind == "ranges":
            self.begin(206, f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}",
                       f"Content-Length: {len(data) - start}")
            self.wfile.write(data[start:])
            return
        self.body(data[:len(data) // 2] if kind == "half" else data, kind not in ("unsized", "half"))

    def begin(self, status, *fields):
        self.send_response(status)
        for field in fields:
            self.send_header(*field.split(": ", 1))
        self.end_headers()

    def body(self, data, sized=True):
        self.begin(200, *([f"Content-Length: {len(data)}"] if sized else []))
        self.wfile.write(data)

    def parts(self, count):
        for number in itertools.islice(itertools.cycle(range(len(pictures))), count):
            data = pictures[number]
            self.wfile.write(
                b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
            time.sleep(0.04)
        # Behind the last part stands the beginning of the next one, by which its end is known.
        self.wfile.write(b"--frame\r\n")

    def log_message(self, *_):
        pass

    def handle(self):
        # Whoever looked on may have gone.
        try:
            super().handle()
        except OSError:
            pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print("port", server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
over.set()
