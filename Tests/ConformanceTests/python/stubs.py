"""The Python code of proto/framemesh/v1, made by grpcio-tools in a temporary folder, as any user would make it."""

import atexit
import os
import shutil
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def load():
    """The modules (messages, services)."""
    folder = tempfile.mkdtemp(prefix="framemesh-stubs-")
    atexit.register(shutil.rmtree, folder, True)
    includes = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    code = protoc.main([
        "protoc", f"-I{ROOT}/proto", f"-I{includes}", f"--python_out={folder}", f"--grpc_python_out={folder}",
        "framemesh/v1/framemesh.proto",
    ])
    if code != 0:
        raise RuntimeError(f"protoc ended with {code}")
    sys.path.insert(0, folder)
    from framemesh.v1 import framemesh_pb2, framemesh_pb2_grpc
    return framemesh_pb2, framemesh_pb2_grpc
