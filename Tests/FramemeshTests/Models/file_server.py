"""A file server for PullerTests: prints its port, serves FILE under paths that each behave in another way.

/ranges/…  honours Range          /whole/…  ignores Range
/cut/…     the first answer ends in the middle, later ones honour Range
/busy/…    503 first              /long/…   more bytes than Content-Length would say

With a certificate and its key (PEM) it speaks HTTPS. As a proxy it lets nobody in.
"""
import http.server
import ssl
import sys

DATA = open(sys.argv[1], "rb").read()
SEEN = set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        start = self.headers.get("Range", "-") if hasattr(self, "headers") else "-"
        print(self.path, start, flush=True)

    def do_CONNECT(self):
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        kind = self.path.split("/")[1]
        first = kind not in SEEN
        SEEN.add(kind)
        if kind == "busy" and first:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if kind not in ("ranges", "whole", "cut", "busy", "long"):
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        start = int(wanted[len("bytes="):-1]) if wanted and kind != "whole" else 0
        body = DATA[start:] + (b"more" if kind == "long" else b"")
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "cut" and first:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*sys.argv[2:4])
    # The handshake is for the connection's own thread.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
