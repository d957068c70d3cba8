"""HTTP/2 servers: answers that nobody takes, and connections that end meanwhile (H49 to H56)."""

import time

from cases import case
from peer import *


@case("H49-call-begun-after-its-connection-ended", "too_many_pings")
def _(attack):
    # The PINGs end the connection; the request behind them comes in the same read. The oracle sees that each handler
    # that began has ended, and that the process drains.
    for _ in range(5):
        peer = attack.peer()
        peer.request("/test.Target/Hold", end=False)
        peer.pump(0.2)
        stream = peer.stream()
        peer.send(ping() * 4 + frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Hold")))
        peer.expect_goaway(ENHANCE_YOUR_CALM)
