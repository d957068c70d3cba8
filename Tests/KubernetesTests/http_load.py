"""Pictures over HTTP, one after the other, each on a connection of its own to one of the addresses that a name has, as a
Service's balancer chooses, until SIGINT. Then says how many were answered, and what became of the others.

    python http_load.py HOST PORT PATH PICTURE
"""

import http.client
import json
import random
import socket
import sys

TIMEOUT = 60


def addresses(host):
    """The name server of the cluster here is started anew when its records change; a Service's address needs none."""
    while True:
        try:
            return [found[4][0] for found in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)]
        except socket.gaierror as error:
            if error.errno != socket.EAI_AGAIN:
                raise


def ask(host, port, path, body):
    """None: it was answered; else what became of it."""
    connection = http.client.HTTPConnection(random.choice(addresses(host)), port, timeout=TIMEOUT)
    try:
        connection.request("POST", path, body, {"Content-Type": "image/jpeg", "Host": f"{host}:{port}"})
        response = connection.getresponse()
        text = response.read().decode()
        is_ok = response.status == 200 and [one["status"] for one in json.loads(text)["results"]] == ["ok"]
        return None if is_ok else f"{response.status} {text}"
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()


def main(host, port, path, picture):
    with open(picture, "rb") as file:
        body = file.read()
    answered, failures = 0, []
    try:
        while True:
            failure = ask(host, int(port), path, body)
            if failure:
                failures.append(failure)
            else:
                answered += 1
                print("answered", flush=True)
    except KeyboardInterrupt:
        print(json.dumps({"answered": answered, "failures": failures}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
