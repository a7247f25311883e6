"""A whole decision in PyTorch: pictures of two cameras and a text to a chunk of actions, Florence-2 in three sizes with NinA's MLP
flow, batch 1, random weights.

Optional: nothing else here needs Python. Prints one JSON line per model. Run it through compare-pytorch-whole.mjs.
Usage: python bench/whole_pytorch.py SECONDS THREADS
"""
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn

from florence2_pytorch import BASE, LARGE, NANO, Florence2
from reference_pytorch import COND, D, Flow

# Tokens of the text: as many as LIBERO's instructions have with the reference's prompt, and as the nano reads.
MODELS = (("Florence-2 nano", NANO, 32), ("Florence-2 base", BASE, 37), ("Florence-2 large", LARGE, 37))


class Policy(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder = Florence2(config)
        self.cond_proj = nn.Linear(config["d"], COND)
        self.flow = Flow("mlp").freeze()

    def forward(self, frames, ids, z):
        """frames [V, H, W, 3] bytes, as a simulator gives them."""
        x = nn.functional.interpolate(frames.permute(0, 3, 1, 2).float(), (112, 112), mode="bilinear", antialias=True)
        mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
        std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
        tokens = self.encoder(((x.round() / 255 - mean) / std)[None], ids)
        return self.flow(z, self.cond_proj(tokens.mean(1))).clamp(-1, 1)


def main():
    seconds, threads = float(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    for name, config, text in MODELS:
        policy = Policy(config).eval()
        frames = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)
        inputs = frames, torch.randint(4, config["vocab"], (1, text)), torch.randn(1, D)
        taken = []
        with torch.inference_mode():
            for _ in range(3):
                policy(*inputs)
            end = time.perf_counter() + seconds / len(MODELS)
            while not taken or time.perf_counter() < end:
                start = time.perf_counter()
                policy(*inputs)
                taken.append((time.perf_counter() - start) * 1e3)
        row = {"name": name, "backend": "PyTorch", "min_ms": min(taken), "median_ms": statistics.median(taken)}
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({**row, "peak_bytes": peak, "torch": torch.__version__}), flush=True)


main()
