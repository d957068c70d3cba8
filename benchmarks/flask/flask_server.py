"""A Flask server of two models: POST a picture to /analyze, get its boxes and classes. What many would write first.

    DETECT_MODEL, CLASSIFY_MODEL   names of manifests
    CV_THREADS                     threads of OpenCV in each process; 0: its own choice
"""

import os
import threading

import cv2
import numpy as np
from flask import Flask, jsonify, request

from models import Classifier, Detector

cv2.setNumThreads(threads if (threads := int(os.environ.get("CV_THREADS", "1"))) > 0 else -1)
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 << 20
of_thread = threading.local()


def models():
    """Each thread has its own: a net is not shared between threads."""
    if not hasattr(of_thread, "models"):
        of_thread.models = Detector(os.environ["DETECT_MODEL"]), Classifier(os.environ["CLASSIFY_MODEL"])
    return of_thread.models


@app.get("/healthz")
def healthz():
    models()
    return "ok"


@app.post("/analyze")
def analyze():
    picture = cv2.imdecode(np.frombuffer(request.get_data(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return jsonify(error="this is no picture"), 422
    detector, classifier = models()
    height, width = picture.shape[:2]
    return jsonify(width=width, height=height, detections=detector.detect(picture), classes=classifier.classify(picture))
