"""One process of a training by several: `python one_of_several.py OUT`, with the environment of torchrun."""

import os
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from linear_policy import item, new_policy, vector_of
from safetensors.torch import save_file

from core.learning.answering import ClosedSet
from core.learning.trainer import fit
from core.settings import LearningSettings

SETTINGS = LearningSettings(steps=8, batch_size=8, learning_rate=0.05, entropy="adaptive")


def train_here(out: Path) -> dict[str, torch.Tensor]:
    """The weights after the training, of which this process may be a part."""
    policy = new_policy()
    items = [
        item(
            f"screen {i}", label=i % 3 if i % 2 else None, rewards=(0.1, 0.9, 0.4), origin="judged", weight=1.0 + i % 4
        )
        for i in range(20)
    ]
    features = [vector_of(each.example) for each in items]
    answering = ClosedSet(policy, items, features, SETTINGS)

    def objective(champion, live):
        return answering.objective(champion, live, 3)

    champion_NK = answering.champion(range(len(items)))
    fit(policy, items, features, champion_NK, objective, SETTINGS, seed=3, scratch=out, on_step=lambda _: None)
    return policy.model.state_dict()


if __name__ == "__main__":
    torch.set_num_threads(1)
    directory = Path(sys.argv[1])
    save_file(train_here(directory), directory / f"{os.environ['RANK']}.safetensors")
    # Together, and without the interpreter's way out: threads of the process group now and then abort it there,
    # long after what matters here is done.
    PartialState().wait_for_everyone()
    PartialState().destroy_process_group()
    os._exit(0)
