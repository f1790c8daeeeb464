"""Fits the weights of the window title, and says what to expect of applications that were not fitted to.

    python -m tests.benchmarks.titles FOLDER

A conditional logit over the lines of a screen and *none* (McFadden 1974) with a Gaussian prior. Splits put every
application on one side. The threshold is chosen on answers out of fold, within the half or the folds that are
fitted: where at most `FALSE_TITLES` of the screens without a title get one. Prints weights and figures as JSON.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from core.environments.screen.titles import title_features
from core.media import read_file
from core.services import Workspace
from core.services.importing import rows_of_table
from core.services.measuring import FolderLibrary
from core.services.verifying import NEAR, edit_distance

PENALTY = 0.004
"A screen, times half the square of a weight."
FALSE_TITLES = 0.18
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


def fit(screens: list[Screen], penalty: float = PENALTY) -> np.ndarray:
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
    of_N = np.repeat(np.arange(len(usable)), sizes)

    def loss(w):
        z_N = all_NF @ w
        top_S = np.maximum(np.maximum.reduceat(z_N, starts), 0)
        e_N = np.exp(z_N - top_S[of_N])
        none_S = np.exp(-top_S)
        total_S = np.add.reduceat(e_N, starts) + none_S
        right_S = np.add.reduceat(e_N * right_N, starts)
        good_S = np.where(titled_S, right_S, none_S)
        value = -(weights_S * np.log(good_S / total_S)).sum()
        grad_N = (weights_S / total_S)[of_N] * e_N
        grad_N -= np.where(titled_S[of_N], right_N * e_N * (weights_S / np.maximum(right_S, 1e-300))[of_N], 0)
        return value + penalty / 2 * w @ w, all_NF.T @ grad_N + penalty * w

    return minimize(loss, np.zeros(all_NF.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 400}).x


class Said(NamedTuple):
    score: float
    right: bool
    exact: bool


def say(weights, screen) -> Said:
    if not len(screen.features_CF):
        return Said(-np.inf, False, False)
    scores_C = screen.features_CF @ weights
    best = int(scores_C.argmax())
    return Said(float(scores_C[best]), bool(screen.is_right_C[best]), bool(screen.is_exact_C[best]))


def folds_by_app(screens, count, rng) -> np.ndarray:
    apps = sorted({s.app for s in screens})
    fold_of = dict(zip(apps, rng.permutation(len(apps)) % count, strict=True))
    return np.array([fold_of[s.app] for s in screens])


def out_of_fold(screens, count, rng) -> list[Said]:
    fold_S = folds_by_app(screens, count, rng)
    weights = [fit([s for s, f in zip(screens, fold_S, strict=True) if f != k]) for k in range(count)]
    return [say(weights[f], s) for s, f in zip(screens, fold_S, strict=True)]


def threshold(screens, said) -> float:
    """The lowest at which no more than FALSE_TITLES of the screens without a title get one."""
    false = sorted((a.score for s, a in zip(screens, said, strict=True) if not s.has_title), reverse=True)
    allowed = int(FALSE_TITLES * len(false))
    return max(false[allowed], -2.0) + 1e-6 if len(false) > allowed else 0.0


def figures(screens, said, limit) -> dict[str, float]:
    titled = [a for s, a in zip(screens, said, strict=True) if s.has_title]
    bare = [a for s, a in zip(screens, said, strict=True) if not s.has_title]
    return {
        "n": len(titled),
        "within_0.2": np.mean([a.right and a.score > limit for a in titled]).item(),
        "exact": np.mean([a.exact and a.score > limit for a in titled]).item(),
        "without": len(bare),
        "false_titles": np.mean([a.score > limit for a in bare]).item(),
    }


def main() -> None:
    screens, names = load(Workspace.open(Path(sys.argv[2]) if len(sys.argv) > 2 else None), Path(sys.argv[1]))
    rng = np.random.default_rng(0)
    halves = []
    for _ in range(SPLITS):
        half_S = folds_by_app(screens, 2, rng)
        for side in (0, 1):
            fitted = [s for s, h in zip(screens, half_S, strict=True) if h == side]
            other = [s for s, h in zip(screens, half_S, strict=True) if h != side]
            limit = threshold(fitted, out_of_fold(fitted, 5, rng))
            weights = fit(fitted)
            halves.append(figures(other, [say(weights, s) for s in other], limit))
    tenfold = out_of_fold(screens, FOLDS, rng)
    limit = threshold(screens, tenfold)
    weights = fit(screens)
    print(
        json.dumps(
            {
                "weights": {name: round(float(w), 2) for name, w in zip(names, weights, strict=True)},
                "threshold": round(limit, 2),
                "fitted": figures(screens, [say(weights, s) for s in screens], limit),
                "ten_folds": figures(screens, tenfold, limit),
                "halves": {key: round(float(np.mean([h[key] for h in halves])), 3) for key in halves[0]},
                "halves_range": {
                    key: [round(min(h[key] for h in halves), 3), round(max(h[key] for h in halves), 3)]
                    for key in ("within_0.2", "false_titles")
                },
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
