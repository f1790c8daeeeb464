"""The networks of the RapidOCR wheel, opened for a machine with few cores."""

import os
from importlib.util import find_spec
from pathlib import Path

from onnxruntime import InferenceSession, SessionOptions

__all__ = ["CORES", "MODELS", "session"]

CORES = min(8, os.cpu_count() or 1)
"Beyond that the lines of one screen are too few to share out."
_wheel = find_spec("rapidocr")
MODELS = Path(str(_wheel.origin)).parent / "models" if _wheel else Path()


def session(model: Path, *, threads: int) -> InferenceSession:
    """A network that computes on `threads` threads; with one, any number of callers may run it side by side."""
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait take the core from whoever else has work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
