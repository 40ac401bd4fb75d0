"""No accuracy is given up: the engine against PyTorch, every shipped classifier, its own protocol.

python benchmarks/accuracy.py

The engine runs the ONNX graph in ONNX Runtime; the other side runs the weights in PyTorch, on the
very inputs that the engine's network is given. Macro F1 has to be the same to 1e-4 under `intra`
(the published test part) and `inter` (DS2); this ends with status 1 where it is not. The bundles
are frozen and their scores known: nothing is chosen by what comes out here.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from keeping import keep
from limiting import limited
from settings import command_line

from ectopy.beats import CLASSES
from ectopy.data.mitdb import load
from ectopy.data.protocols import PROTOCOLS, BeatSet, chosen_lead, get_protocol, load_test
from ectopy.errors import DataError
from ectopy.evaluation.metrics import score_classes
from ectopy.inference.engine import Classifier
from ectopy.models.bundle import Bundle, find_bundle, shipped_bundles
from ectopy.models.saving import load_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-4


class TorchClassifier(Classifier):
    """The engine with its network exchanged: inputs and calibration are the same.

    Parameters
    ----------
    bundle : Bundle
    """

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle, threads=1)
        self.network = load_model(bundle.folder)
        self.calls = 0

    def _run(self, *parts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of one batch."""
        self.calls += 1
        with torch.inference_mode():
            tensors = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
            logits: NDArray[np.float32] = self.network(*tensors).numpy()
        return logits


def main() -> None:
    options = command_line(__doc__).parse_args()
    bundles = [b for b in map(find_bundle, shipped_bundles()) if not b.finds]
    rows = []
    try:
        for protocol in PROTOCOLS:
            test = load_test(protocol)
            with limited(1):
                rows += [compare(b, test) for b in bundles if b.protocol == protocol]
    except DataError as error:
        print(f"accuracy: left out, {error}", file=sys.stderr)
        return
    for row in rows:
        print(
            f"{row['model']:18} {row['beats']:6,} beats  macro F1 {row['macro_f1']:.6f}, PyTorch "
            f"{row['macro_f1_torch']:.6f}  {row['classes_that_differ']} classes differ, "
            f"probabilities by {row['largest_difference']:.1e} at most"
        )
    keep("accuracy", rows, folder=options.out, tolerance=TOLERANCE)
    wrong = [row["model"] for row in rows if not row["same"]]
    if wrong:
        sys.exit(f"macro F1 of the engine and of PyTorch differ by more: {', '.join(wrong)}")


def compare(bundle: Bundle, test: BeatSet) -> dict[str, Any]:
    """Score one bundle both ways."""
    in_torch = TorchClassifier(bundle)
    ours, theirs = (probabilities(one, test) for one in (Classifier(bundle, threads=1), in_torch))
    if not in_torch.calls:
        sys.exit("the engine did not call the network of PyTorch: nothing was compared")
    scores = [score_classes(test.classes, p, with_auc=False)["macro_f1"] for p in (ours, theirs)]
    kept = bundle.results()
    return {
        "model": bundle.full_name,
        "protocol": bundle.protocol,
        "beats": len(test),
        "macro_f1": scores[0],
        "macro_f1_torch": scores[1],
        "macro_f1_recorded": None if kept is None else kept["macro_f1"],
        "difference": scores[0] - scores[1],
        "classes_that_differ": int((ours.argmax(axis=1) != theirs.argmax(axis=1)).sum()),
        "largest_difference": float(np.abs(ours - theirs).max()),
        "same": abs(scores[0] - scores[1]) <= TOLERANCE,
    }


def probabilities(classifier: Classifier, test: BeatSet) -> NDArray[np.float32]:
    """Probabilities of the test beats; a model that reads rhythm is given all of their records."""
    if not classifier.reads_rhythm:
        return classifier.classify_windows(test.windows)
    lead_by = get_protocol(classifier.bundle.protocol).lead_by
    out = np.empty((len(test), len(CLASSES)), dtype=np.float32)
    for name in np.unique(test.records):
        recording, reference = load(str(name))
        signal = chosen_lead(recording, lead_by)
        found = classifier.classify(signal, recording.fs, reference.peaks)
        rows = test.records == name
        out[rows] = found[np.searchsorted(reference.peaks, test.peaks[rows])]
    return out


if __name__ == "__main__":
    main()
