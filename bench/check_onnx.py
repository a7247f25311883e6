"""Exported models in this Python: are they valid ONNX, and do its runtimes answer what was stored beside them?

Optional: nothing else here needs Python. Prints one JSON line per model and tool. Run it through check-onnx.mjs.
Usage: python bench/check_onnx.py FOLDER
"""
import glob
import json
import os
import platform
import sys

import numpy as np

try:
    import onnx
    from onnx.reference import ReferenceEvaluator
except ImportError:
    onnx = None
try:
    import onnxruntime
except ImportError:
    onnxruntime = None


def difference(got, wanted):
    """The largest, relative to the largest number that was wanted, or to 1."""
    got, wanted = np.asarray(got).ravel(), np.asarray(wanted, np.float32)
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(got - wanted).max() / max(1.0, np.abs(wanted).max()))


def compare(run, case):
    feeds = {i["name"]: np.array(i["data"], i["dtype"]).reshape(i["shape"]) for i in case["inputs"]}
    names = [o["name"] for o in case["outputs"]]
    return max(difference(got, o["data"]) for got, o in zip(run(names, feeds), case["outputs"]))


def tools(file):
    """Pairs of a tool's name and what it makes of a case: a difference, or None for one that only judges the file."""
    if onnx:
        model = onnx.load(file)
        yield f"onnx {onnx.__version__} checker", lambda case: onnx.checker.check_model(model, full_check=True)
        yield f"onnx {onnx.__version__} reference", lambda case: compare(ReferenceEvaluator(model).run, case)
    if onnxruntime:
        name = f"onnxruntime {onnxruntime.__version__}"
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        start = lambda: onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        yield name, lambda case: compare(start().run, case)


for file in sorted(glob.glob(os.path.join(glob.escape(sys.argv[1]), "*.onnx"))):
    stem = os.path.splitext(file)[0]
    with open(f"{stem}.json") as stored:
        case = json.load(stored)
    for tool, check in tools(file):
        row = {"python": platform.python_version(), "tool": tool, "name": os.path.basename(stem)}
        try:
            row["difference"] = check(case)
        except Exception as error:
            row["error"] = f"{type(error).__name__}: {error}"[:400]
        print(json.dumps(row), flush=True)
