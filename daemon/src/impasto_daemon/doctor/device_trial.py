"""A small real convolution on the device that would paint, in a process that may die of it.

`python -m impasto_daemon.doctor.device_trial DEVICE` prints JSON: torch's version, its build and
the device.
"""

from __future__ import annotations

import json
import sys


def run(name: str) -> dict[str, str]:
    """Convolve, and compare with the CPU. Raises NoDevice, ArithmeticError, RuntimeError."""
    import torch

    from impasto_daemon.worker.models import choose_device, describe

    device = choose_device(name)
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 16, 64, 64, generator=generator)
    kernel = torch.rand(8, 16, 3, 3, generator=generator)
    found = torch.nn.functional.conv2d(picture.to(device), kernel.to(device)).cpu()
    if not torch.allclose(found, torch.nn.functional.conv2d(picture, kernel), rtol=1e-2, atol=0.1):
        raise ArithmeticError(f"{describe(device)} computes wrongly.")
    build = torch.version.cuda and f"CUDA {torch.version.cuda}"
    build = build or (torch.version.hip and f"ROCm {torch.version.hip}") or "CPU"
    return {"torch": torch.__version__, "build": build, "device": describe(device)}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1])))
