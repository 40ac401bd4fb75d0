"""Model cards, written from a bundle's own files so that no number is typed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ectopy.beats import CLASS_MEANINGS, CLASSES
from ectopy.data.protocols import SAME_SUBJECT
from ectopy.models.calibration import HELD_OUT_IN_TURN
from ectopy.models.detected_card import detected_part
from ectopy.models.finder_card import finder_card
from ectopy.printing import with_spread

if TYPE_CHECKING:
    from ectopy.models.bundle import Bundle
    from ectopy.models.contract import InputContract


def model_card(bundle: Bundle) -> str:
    """Text of the model card in Markdown."""
    if bundle.finds:
        return finder_card(bundle)
    config, contract, training = bundle.config, bundle.contract, bundle.config["training"]
    total = sum(training["beats"].values())
    parts = [
        f"# {bundle.full_name}\n",
        f"Classifies {'' if contract.reads_rhythm else 'single '}heartbeats of one ECG lead"
        f"{' by shape and rhythm' if contract.reads_rhythm else ''}: {config['parameters']:,} "
        f"parameters, {_cost(bundle)}weights as safetensors and ONNX.\n",
        "Research software, not a medical device.\n",
        "## Input\n",
        f"Windows of {contract.before + contract.after} samples at {contract.fs:g} Hz, "
        f"{contract.before} before the peak and {contract.after} from it on; "
        f"{contract.normalisation}; filter: {contract.filter}; beyond the recording's ends: "
        f"{contract.edges}. Fiducial point: {contract.fiducial}.{_beside(contract)}\n",
        "## Output\n",
        "Logits of the five AAMI classes: "
        + "; ".join(f"{name} {CLASS_MEANINGS[name]}" for name in CLASSES)
        + f". {certainty(bundle)}\n",
        "## Limits\n",
        " ".join(limits(bundle)) + "\n",
        "## Training\n",
        f"{total:,} beats of {training['database']}, {_part(training)} of protocol "
        f"`{training['protocol']}` ({', '.join(f'{k} {v:,}' for k, v in training['beats'].items())}"
        f"); recipe `{training['recipe']['name']}`, seed {training['seed']}; "
        f"{_chosen(training)}.\n",
        "## Results\n",
        _results(bundle),
        *_seeds(bundle),
        *detected_part(bundle),
    ]
    return "\n".join(parts)


def limits(bundle: Bundle) -> list[str]:
    """Say what a model that classes beats cannot do, one statement each.

    Examples
    --------
    >>> from ectopy.models.bundle import find_bundle
    >>> limits(find_bundle("cnn-mlp"))[2]
    'Ventricular flutter is no class of its own and gets letters beat by beat.'
    """
    contract = bundle.contract
    return [
        _sight(contract),
        f"It knows leads like MLII{_polarity(contract)}.",
        "Ventricular flutter is no class of its own and gets letters beat by beat.",
        f"It was trained on {_subjects(bundle.config['training'])} subjects recorded between "
        "1975 and 1979 with Holter recorders of that time.",
    ]


def _subjects(training: dict[str, Any]) -> int:
    """Count the subjects of the records trained on."""
    return len({SAME_SUBJECT.get(record, record) for record in training["records"]})


def _beside(contract: InputContract) -> str:
    """Say what goes in beside the windows."""
    if not contract.reads_rhythm:
        return ""
    return (
        f" Beside them typical beats: {contract.typical_beats}; and the "
        f"{len(contract.rhythm_features)} rhythm features of `ectopy.signal.typical.beat_inputs`."
    )


def _sight(contract: InputContract) -> str:
    """Say what it cannot see."""
    if contract.reads_rhythm:
        return (
            "It needs all beats of a recording, also those to come: a beat that was missed or made "
            "up changes what is said of its neighbours, and a stream has to wait. Paced beats are "
            "mostly called N unless it was trained under `intra`, on beats of the same patients."
        )
    return (
        "It sees one beat of one lead and no more: supraventricular beats that only their timing "
        "gives away look normal to it."
    )


def _polarity(contract: InputContract) -> str:
    """Say whether electrodes may be reversed."""
    if contract.reads_rhythm:
        return ", upside down as well"
    return " with electrodes the right way round: turn an inverted lead before"


def _part(training: dict[str, Any]) -> str:
    """Name the part trained on: "train", or "train, with" something else."""
    part, _, more = str(training["part"]).partition(", ")
    return f"the {part} part{', ' + more + ',' if more else ''}"


def _chosen(training: dict[str, Any]) -> str:
    """Say which epoch's weights these are."""
    if training["selected_value"] is None:
        return f"the last of {training['epoch']} epochs, since no patient was held out"
    held_out = training.get("held_out")
    return (
        f"checkpoint of epoch {training['epoch']}, chosen by {training['selected_by']} on "
        + (f"records {', '.join(held_out)}" if held_out else "the validation part")
        + f" ({training['selected_value']:.4f})"
    )


def _cost(bundle: Bundle) -> str:
    """Say what one beat costs, where that is known; element-wise work is not in it."""
    found = bundle.multiply_adds
    return "" if found is None else f"{found:,} multiply-adds a beat, "


def certainty(bundle: Bundle) -> str:
    """Say what its probabilities are, and what they were calibrated on."""
    calibration = bundle.calibration
    if calibration is None:
        return "Probabilities are their softmax, not calibrated."
    fitted_on = calibration.fitted_on
    part = fitted_on if fitted_on == HELD_OUT_IN_TURN else f"the {fitted_on} part"
    return (
        f"Probabilities are the softmax of the logits divided by {calibration.temperature:.4g}: "
        f"calibrated by temperature scaling on the {calibration.n:,} beats of {part}, by which no "
        "class changes. In patients unlike those, certainties can be less honest."
    )


def _results(bundle: Bundle) -> str:
    results = bundle.results()
    if results is None:
        return "Not measured yet: `ectopy evaluate FOLDER --record` with this folder.\n"
    text = (
        f"Protocol `{results['protocol']}`, {results['n']:,} test beats: accuracy "
        f"{results['accuracy']:.4f}, macro F1 {results['macro_f1']:.4f} (over N S V F "
        f"{results['macro_f1_nsvf']:.4f}), weighted F1 {results['weighted_f1']:.4f}, macro AUC "
        f"{results['macro_auc']:.4f}.\n"
    )
    if results["protocol"] == "intra":
        text += (
            "\nBeats of the same patients are in training and test: these figures compare models "
            "under the published protocol and say little about a patient never seen.\n"
        )
    return text + "\n" + results_table(results) + "\n"


def _seeds(bundle: Bundle) -> list[str]:
    """Say how the model does over several seeds, where that is known."""
    found = bundle.seeds()
    if found is None:
        return []
    scores, f1, intervals = found["scores"], found["f1"], found["intervals"]
    n = len(found["seeds"])
    classes = ", ".join(f"{name} {with_spread(f1[name])}" for name in CLASSES)
    without = "".join(
        f"; S without record {record} {with_spread(one)}"
        for record, one in found["without"].items()
    )
    return [
        f"Over {n} training seed{'s' * (n > 1)}, these weights being seed {found['seed']}: "
        f"accuracy {with_spread(scores['accuracy'])}, macro F1 {with_spread(scores['macro_f1'])}, "
        f"over N S V F {with_spread(scores['macro_f1_nsvf'])}; F1 {classes}{without} (mean ± "
        f"standard deviation over seeds, {100 * intervals['level']:g} % interval over "
        f"{intervals['unit']}).\n"
    ]


def results_table(results: dict[str, Any]) -> str:
    """Scores per class and confusion matrix as a Markdown table."""
    head = "| true | n | precision | recall | F1 | AUC | " + " | ".join(f"-> {c}" for c in CLASSES)
    lines = [head + " |", "|---" * (6 + len(CLASSES)) + "|"]
    for name, row in zip(CLASSES, results["confusion_matrix"], strict=True):
        one = results["per_class"][name]
        auc = "" if one["auc"] is None else f"{one['auc']:.4f}"
        scores = f"{one['precision']:.4f} | {one['recall']:.4f} | {one['f1']:.4f} | {auc}"
        lines.append(f"| {name} | {one['n']:,} | {scores} | " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines)
