#!/usr/bin/env bash
# Guess: the two ways of torchvision to bring 8-bit images to [0, 1] give the same floats: `ToTensor`, and the recommended
#   `ToImage` followed by `ToDtype(torch.float32, scale=True)`.
# Behaviour: `ToTensor` divides by 255, `ToDtype` multiplies by 1 / 255 rounded to float32. 126 of the 256 levels differ
#   in their last bit, by at most 6e-8. Rounding 255 times either value gives the level back.
# Where it matters: networks whose inputs are compared bit by bit, and digests of float images.
# Versions: torchvision 0.29.1 with torch 2.14.1, numpy 2.4.6, Python 3.11.
# Output:
#   levels that differ: 126 of 256, first 3 6 7 12, at most 6.0e-08; back to 8 bits: equal
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet torchvision==0.29.1 torch==2.14.1 numpy==2.4.6

"$folder/env/bin/python" - <<'PY'
import numpy as np
import torch
from torchvision.transforms import ToTensor, v2

levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
divided = ToTensor()(levels)
scaled = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(levels)
differ = (divided != scaled).flatten()
assert torch.equal(divided.flatten(), torch.arange(256) / 255)
back = all(torch.equal((x * 255).round().to(torch.uint8).flatten(), torch.from_numpy(levels).flatten()) for x in (divided, scaled))
first = " ".join(map(str, differ.nonzero().flatten()[:4].tolist()))
most = float((divided - scaled).abs().max())
line = f"levels that differ: {int(differ.sum())} of 256, first {first}, at most {most:.1e}; back to 8 bits: {'equal' if back else 'other'}"
print(line)
assert line == "levels that differ: 126 of 256, first 3 6 7 12, at most 6.0e-08; back to 8 bits: equal"
PY
