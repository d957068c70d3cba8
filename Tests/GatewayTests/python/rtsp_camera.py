"""An RTSP camera (RFC 2326) that shows a video over and over: rtsp_camera.py VIDEO

FFmpeg makes the RTP packets; this answers the requests of one client after the other, and sends the packets on the same
TCP connection (section 10.12). Prints its port, and ends with its standard input. With a second argument, it answers
DESCRIBE with a redirect there; with two more, CERTIFICATE and KEY, it speaks TLS.
"""
import os
import select
import socket
import ssl
import subprocess
import sys
import threading

udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
target = f"rtp://127.0.0.1:{udp.getsockname()[1]}?pkt_size=1200"
encoder = subprocess.Popen(
    ["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", sys.argv[1], "-an", "-c:v", "libx264",
     "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10", "-pix_fmt", "yuv420p", "-sdp_file", "/dev/stdout",
     "-f", "rtp", target],
    stdout=subprocess.PIPE, text=True)


def end_with_input():
    sys.stdin.read()
    encoder.kill()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
sdp = []
for line in encoder.stdout:
    if line.startswith(("v=", "o=", "s=", "c=", "t=", "m=", "b=", "a=")):
        sdp.append(line.strip())
    if line.startswith("a=fmtp"):
        break
sdp = "\r\n".join(line.replace(f"m=video {udp.getsockname()[1]}", "m=video 0") for line in sdp) + "\r\na=control:video\r\n"

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("port", listener.getsockname()[1], flush=True)


def answer(client, text):
    lines = text.split("\r\n")
    method, url, _ = lines[0].split(" ", 2)
    number = next(line for line in lines if line.lower().startswith("cseq:"))
    status, fields, body = "200 OK", [number], ""
    if method == "OPTIONS":
        fields.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
    elif method == "DESCRIBE" and len(sys.argv) == 3:
        status = "302 Found"
        fields.append(f"Location: {sys.argv[2]}")
    elif method == "DESCRIBE":
        body = sdp
        fields += ["Content-Type: application/sdp", f"Content-Base: {url}/", f"Content-Length: {len(body)}"]
    elif method == "SETUP":
        fields += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
    else:
        fields.append("Session: 1")
    client.sendall(("RTSP/1.0 " + status + "\r\n" + "\r\n".join(fields) + "\r\n\r\n" + body).encode())
    return method


def serve(client):
    plays, heard = False, b""
    while True:
        ready, _, _ = select.select([client, udp], [], [])
        if udp in ready:
            packet = udp.recv(65536)
            if plays:
                client.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)
        if client in ready:
            more = client.recv(65536)
            # What TLS has decoded already, no select tells of.
            while tls and client.pending():
                more += client.recv(client.pending())
            if not more:
                return
            heard += more
            # Reports of the receiver come between its requests.
            while heard:
                if heard[:1] == b"$":
                    size = 4 + int.from_bytes(heard[2:4], "big")
                    if len(heard) < max(4, size):
                        break
                    heard = heard[size:]
                    continue
                head, end, rest = heard.partition(b"\r\n\r\n")
                if not end:
                    break
                heard = rest
                method = answer(client, head.decode())
                plays = plays or method == "PLAY"
                if method == "TEARDOWN":
                    return


tls = None
if len(sys.argv) == 4:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[2], sys.argv[3])
while True:
    client, _ = listener.accept()
    try:
        if tls:
            client = tls.wrap_socket(client, server_side=True)
        serve(client)
    except OSError:
        pass
    client.close()
