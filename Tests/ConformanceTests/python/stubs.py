"""The Python code of our .proto files, made by grpcio-tools in a temporary folder, as any user would make it."""

import atexit
import os
import shutil
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def _generate(*protos):
    """The folder with the code."""
    folder = tempfile.mkdtemp(prefix="framemesh-stubs-")
    atexit.register(shutil.rmtree, folder, True)
    includes = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    code = protoc.main([
        "protoc", f"-I{ROOT}/proto", f"-I{includes}", f"--python_out={folder}", f"--grpc_python_out={folder}",
        *protos,
    ])
    if code != 0:
        raise RuntimeError(f"protoc ended with {code}")
    sys.path.insert(0, folder)
    return folder


def load():
    """The modules (messages, services) of framemesh.v1."""
    _generate("framemesh/v1/framemesh.proto")
    from framemesh.v1 import framemesh_pb2, framemesh_pb2_grpc
    return framemesh_pb2, framemesh_pb2_grpc


def load_testing():
    """The modules (empty, messages, services) of grpc.testing."""
    folder = _generate("grpc/testing/empty.proto", "grpc/testing/messages.proto", "grpc/testing/test.proto")
    # The package `grpc` is the installed one; the generated modules join it.
    import grpc
    grpc.__path__.append(os.path.join(folder, "grpc"))
    from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc
    return empty_pb2, messages_pb2, test_pb2_grpc
