"""A Flask server of two models: POST a picture to /analyze, get its boxes and classes. What many would write first."""

import threading

from flask import Flask, jsonify, request

from models import Analysis, NoPicture

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 << 20
of_thread = threading.local()


def analysis():
    """Each thread has its own: a net is not shared between threads."""
    if not hasattr(of_thread, "analysis"):
        of_thread.analysis = Analysis()
    return of_thread.analysis


# A worker of gunicorn has one thread, this one, and is not ready before.
analysis()


@app.get("/healthz")
def healthz():
    return "ok"


@app.post("/analyze")
def analyze():
    try:
        return jsonify(analysis().of(request.get_data()))
    except NoPicture as error:
        return jsonify(error=str(error)), 422
