"""A camera on the network that sends JPEG pictures one after the other (multipart/x-mixed-replace), as many do.

`http_camera.py CERTIFICATE KEY PICTURE…` is one with TLS: prints its port, then a line for each request, and ends with its
standard input.
"""

import contextlib
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PICTURES_PER_SECOND = 10


class HTTPCamera:
    """Shows pictures over and over to all who call `url`, until it is told to fall silent, or to go."""

    def __init__(self, pictures, tls=None):
        self.pictures = pictures
        self.silent = threading.Event()
        self.over = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                camera.called()
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                # Whoever looked on may have gone.
                with contextlib.suppress(OSError):
                    camera.show(self.wfile)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            # The handshake is each caller's own affair, in its thread.
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/live"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def called(self):
        """Somebody asks for pictures."""

    def show(self, output):
        number = 0
        while not self.over.wait(1 / PICTURES_PER_SECOND):
            if self.silent.is_set():
                continue
            picture = self.pictures[number % len(self.pictures)]
            number += 1
            output.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture))
            output.flush()

    def stop(self):
        """Nobody answers at `url` any more."""
        if self.over.is_set():
            return
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    pictures = [open(path, "rb").read() for path in sys.argv[3:]]

    class Told(HTTPCamera):
        def called(self):
            print("called", flush=True)

    camera = Told(pictures, context)
    # A handshake that fails is what is tested.
    camera.server.handle_error = lambda *_: None
    print("port", camera.server.server_address[1], flush=True)
    sys.stdin.read()
    camera.stop()
