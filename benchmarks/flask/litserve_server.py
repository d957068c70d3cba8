"""The same work as a LitServe API: POST a form with a file `picture` to /predict.

    litserve_server.py PORT WORKERS
"""

import sys

import litserve
from fastapi import HTTPException, Request

from models import Analysis, NoPicture


class Analyze(litserve.LitAPI):
    def setup(self, device):
        self.analysis = Analysis()

    def decode_request(self, request: Request):
        return request["picture"].file.read()

    def predict(self, picture):
        try:
            return self.analysis.of(picture)
        except NoPicture as error:
            raise HTTPException(422, str(error)) from error

    def encode_response(self, answer):
        return answer


if __name__ == "__main__":
    server = litserve.LitServer(Analyze(), accelerator="cpu", workers_per_device=int(sys.argv[2]))
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="error", generate_client_file=False)
