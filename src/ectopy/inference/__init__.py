"""From a recording to classed beats, through ONNX Runtime."""
