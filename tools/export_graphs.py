"""Export the ONNX graphs of the shipped bundles anew from their weights, which stay as they are.

For a change of `ectopy.models.inference_form`. Each graph is checked against PyTorch before it
takes the place of the one before. Results do not change by more than rounding; `ectopy evaluate
--record` measures them again.

python tools/export_graphs.py [MODEL/PROTOCOL ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from ectopy._version import code_version
from ectopy.checksum import sha256_of
from ectopy.models.bundle import CARD_FILE, CONFIG_FILE, ONNX_FILE, find_bundle, open_bundle
from ectopy.models.bundle import shipped_bundles as shipped
from ectopy.models.card import model_card
from ectopy.models.saving import export_onnx, load_finder, load_model


def export_graph(folder: Path, version: str) -> None:
    """Export the graph of the bundle in a folder, and state its checksum and what made it."""
    bundle = open_bundle(folder)
    model = load_finder(folder) if bundle.finds else load_model(folder)
    contract = bundle.finder_contract if bundle.finds else bundle.contract
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".graph-") as draft:
        graph = Path(draft) / ONNX_FILE
        export_onnx(model, graph, contract)
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        config["files"][ONNX_FILE] = sha256_of(graph)
        config["graph_code_version"] = version
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        draft_config = Path(draft) / CONFIG_FILE
        draft_config.write_text(text, encoding="utf-8")
        graph.replace(folder / ONNX_FILE)
        draft_config.replace(folder / CONFIG_FILE)
    (folder / CARD_FILE).write_text(model_card(open_bundle(folder)), encoding="utf-8")


if __name__ == "__main__":
    version = code_version()  # before graphs change, which are part of the sources
    for name in sys.argv[1:] or shipped():
        export_graph(find_bundle(name).folder, version)
        sys.stdout.write(f"{name}\n")
