"""The networks of the RapidOCR wheel, run by OpenVINO on a machine with few cores.

They compute in bfloat16 where the processor does (most of the time is in convolutions, which take half as long), else
in float32. A run of one shape gives the same bits in any process of one machine; another kind of processor may differ
in the last ones. The first run of a shape prepares it, which takes as long as a run or two.
"""

import os
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from openvino import CompiledModel, Core, Model

__all__ = ["CORES", "Network"]

CORES = min(8, os.cpu_count() or 1)
"Beyond that the lines of one screen are too few to share out."
_wheel = find_spec("rapidocr")
MODELS = Path(str(_wheel.origin)).parent / "models" if _wheel else Path()

Signal = NDArray[np.float32]


class Network:
    """One network of the wheel, ready to run."""

    def __init__(self, name: str, *, side_by_side: bool) -> None:
        """Each run takes all cores, or, with `side_by_side`, one of as many that run at once."""
        core = Core()
        precisions = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        network = core.read_model(MODELS / name)
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in precisions else "f32",
            "INFERENCE_NUM_THREADS": CORES,
            "NUM_STREAMS": CORES if side_by_side else 1,
            # The machine has other work, which would be kept from a core that is held.
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled: CompiledModel = core.compile_model(network, "CPU", settings)
        self._of_thread = threading.local()
        self.metadata: dict[str, str] = _metadata(network)
        "What the network's file says besides."

    def __call__(self, signal_NCHW: Signal) -> Signal:
        """What the network makes of its only input, until the thread that asks asks again; any number may at once."""
        request = getattr(self._of_thread, "request", None)
        if request is None:
            request = self._of_thread.request = self._compiled.create_infer_request()
        request.infer([signal_NCHW], share_inputs=True)
        made: Signal = request.get_output_tensor().data
        return made


def _metadata(network: Model) -> dict[str, str]:
    return dict(network.get_rt_info(["framework"]).value) if network.has_rt_info(["framework"]) else {}
