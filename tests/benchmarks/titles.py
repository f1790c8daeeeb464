"""Fits the weights of the window title, and says what to expect of applications that were not fitted to.

    python -m tests.benchmarks.titles FOLDER [HOME]

A conditional logit over the lines of a screen and *none* (McFadden 1974) with a Gaussian prior; features in `SET` are
left out of it and have the weight that was set for them. `EASE` was chosen so that 85% of the titles of the whole
folder are found. Splits put every application on one side. Prints weights and figures as JSON.
"""

import json
import sys
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from core.environments.screen.titles import title_features
from core.media import read_file
from core.services import Workspace
from core.services.folders import rows_of_table
from core.services.measuring import FolderLibrary
from core.services.verifying import NEAR, edit_distance

PENALTY = 0.005
"A screen, times half the square of a weight."
SET = {"sparse_phone": -3.0}
EASE = 0.33
"Log-odds by which a line may be likelier no title than one, and is claimed."
SPLITS, FOLDS = 5, 10


class Screen(NamedTuple):
    """A screen with C candidates and F features."""

    app: str
    has_title: bool
    features_CF: np.ndarray
    is_right_C: np.ndarray
    is_exact_C: np.ndarray


def load(ws: Workspace, directory: Path) -> tuple[list[Screen], list[str]]:
    """Every screen of a folder, and the names of the features."""
    library = FolderLibrary(ws.cache, ws.settings.media)
    screens, names = [], None
    for row in rows_of_table(directory / "manifest.csv", ("file", "window_title", "app")):
        media = library.add(read_file(directory / "images" / row["file"], ws.settings.media), row["file"])
        lines = title_features(library.reading(media), library.image(media))
        library.forget(media)
        names = names or sorted(lines[0][1]) if lines else names
        title = row["window_title"]
        screens.append(
            Screen(
                row["app"],
                bool(title),
                np.array([[features[name] for name in names] for _, features in lines]).reshape(len(lines), -1),
                np.array([bool(title) and edit_distance(text, title) <= NEAR for text, _ in lines], bool),
                np.array([bool(title) and text == title for text, _ in lines], bool),
            )
        )
    return screens, names or []


def fit(screens: list[Screen], names: list[str], penalty: float = PENALTY) -> np.ndarray:
    """Float[F]: weights, screens of one application counting as the square root of their number."""
    usable = [s for s in screens if len(s.features_CF) and (not s.has_title or s.is_right_C.any())]
    times = Counter(s.app for s in usable)
    weights_S = np.array([times[s.app] ** -0.5 for s in usable])
    weights_S /= weights_S.sum()
    sizes = [len(s.features_CF) for s in usable]
    starts = np.cumsum([0, *sizes[:-1]])
    all_NF = np.concatenate([s.features_CF for s in usable])
    right_N = np.concatenate([s.is_right_C for s in usable])
    titled_S = np.array([s.has_title for s in usable])
    set_F = np.array([SET.get(name, 0.0) for name in names])
    free_F = np.array([name not in SET for name in names])
    of_N = np.repeat(np.arange(len(usable)), sizes)

    def loss(w):
        z_N = all_NF @ (w * free_F)
        top_S = np.maximum(np.maximum.reduceat(z_N, starts), 0)
        e_N = np.exp(z_N - top_S[of_N])
        none_S = np.exp(-top_S)
        total_S = np.add.reduceat(e_N, starts) + none_S
        right_S = np.add.reduceat(e_N * right_N, starts)
        good_S = np.where(titled_S, right_S, none_S)
        value = -(weights_S * np.log(good_S / total_S)).sum()
        grad_N = (weights_S / total_S)[of_N] * e_N
        grad_N -= np.where(titled_S[of_N], right_N * e_N * (weights_S / np.maximum(right_S, 1e-300))[of_N], 0)
        return value + penalty / 2 * w @ w, (all_NF.T @ grad_N) * free_F + penalty * w

    found = minimize(loss, np.zeros(all_NF.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x
    return found * free_F + set_F


class Said(NamedTuple):
    score: float
    right: bool
    exact: bool


def say(weights: np.ndarray, screen: Screen) -> Said:
    """The best line of a screen."""
    if not len(screen.features_CF):
        return Said(-np.inf, False, False)
    scores_C = screen.features_CF @ weights
    best = int(scores_C.argmax())
    return Said(float(scores_C[best]), bool(screen.is_right_C[best]), bool(screen.is_exact_C[best]))


def folds_by_app(screens: list[Screen], count: int, rng: np.random.Generator) -> np.ndarray:
    apps = sorted({s.app for s in screens})
    fold_of = dict(zip(apps, rng.permutation(len(apps)) % count, strict=True))
    return np.array([fold_of[s.app] for s in screens])


def answered(fitted: list[Screen], others: list[Screen], names: list[str]) -> list[Said]:
    """What weights and threshold of some screens say of others; a score above 0 is a claim."""
    weights = fit(fitted, names)
    return [each._replace(score=each.score + EASE) for each in (say(weights, s) for s in others)]


def figures(screens: list[Screen], said: list[Said]) -> dict[str, float]:
    titled = [a for s, a in zip(screens, said, strict=True) if s.has_title]
    bare = [a for s, a in zip(screens, said, strict=True) if not s.has_title]
    return {
        "n": len(titled),
        "within_0.2": np.mean([a.right and a.score > 0 for a in titled]).item(),
        "exact": np.mean([a.exact and a.score > 0 for a in titled]).item(),
        "without": len(bare),
        "false_titles": np.mean([a.score > 0 for a in bare]).item(),
    }


def of_folds(screens: list[Screen], names: list[str], count: int, rng: np.random.Generator) -> list[dict[str, float]]:
    """Figures of each fold, fitted on all others; of all together where there are many folds."""
    fold_S = folds_by_app(screens, count, rng)
    found = []
    for k in range(count):
        others = [s for s, fold in zip(screens, fold_S, strict=True) if fold == k]
        fitted = [s for s, fold in zip(screens, fold_S, strict=True) if fold != k]
        found.append((others, answered(fitted, others, names)))
    if count > 2:
        found = [(list(chain(*(o for o, _ in found))), list(chain(*(said for _, said in found))))]
    return [figures(others, said) for others, said in found]


def main() -> None:
    """Prints one JSON object."""
    home = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    screens, names = load(Workspace.open(home), Path(sys.argv[1]))
    rng = np.random.default_rng(0)
    halves = [each for _ in range(SPLITS) for each in of_folds(screens, names, 2, rng)]
    weights = fit(screens, names)
    shipped = {**dict(zip(names, weights.tolist(), strict=True))}
    shipped["any"] += EASE
    found = {
        "weights": {name: round(weight, 2) for name, weight in shipped.items()},
        "fitted": figures(screens, answered(screens, screens, names)),
        "ten_folds": of_folds(screens, names, FOLDS, rng)[0],
        "halves": {key: round(float(np.mean([each[key] for each in halves])), 3) for key in halves[0]},
        "of_halves": [(round(each["within_0.2"], 3), round(each["false_titles"], 3)) for each in halves],
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
