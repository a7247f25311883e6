"""One decode of NinA in PyTorch at the paper's sizes, batch 1: eager, and traced and frozen TorchScript.

Optional: nothing else here needs Python. Prints one JSON line per model and mode. Run it through
compare-pytorch-latency.mjs.
Usage: python bench/latency_pytorch.py SECONDS THREADS
"""
import json
import statistics
import sys
import time

import torch

from reference_pytorch import ACTION, COND, STEPS, D, Flow


def main():
    seconds, threads = float(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    contestants = []
    for name, backbone in (("NinA Transformer 38M", "trans"), ("NinA MLP 2M", "mlp")):
        flow = Flow(backbone).freeze()
        inputs = (torch.randn(1, D) if backbone == "mlp" else torch.randn(1, STEPS, ACTION), torch.randn(1, COND))
        with torch.inference_mode():
            traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(flow, inputs)))
            assert torch.allclose(traced(*inputs), flow(*inputs), atol=1e-3)
        contestants += [(name, "eager", flow, inputs), (name, "TorchScript", traced, inputs)]
    times = [[] for _ in contestants]
    with torch.inference_mode():
        for _, _, decode, inputs in contestants:
            for _ in range(20):
                decode(*inputs)
        turns = 4
        for _ in range(turns):
            for (_, _, decode, inputs), taken in zip(contestants, times):
                decode(*inputs)
                end = time.perf_counter() + seconds / turns / len(contestants)
                while time.perf_counter() < end:
                    start = time.perf_counter()
                    decode(*inputs)
                    taken.append((time.perf_counter() - start) * 1e3)
    for (name, mode, _, _), taken in zip(contestants, times):
        row = {"name": name, "mode": mode, "min_ms": min(taken), "median_ms": statistics.median(taken)}
        print(json.dumps({**row, "torch": torch.__version__}), flush=True)


main()
