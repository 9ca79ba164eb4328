"""The report on low-pass activations: table 2, operations and parameters, which needs no training."""

from __future__ import annotations

from pathlib import Path

from robench import models
from robench.reproduce._items import item
from robench.reproduce._table import Entry, Table
from robench.reproduce._workshop import Workshop

PAPER = "low-pass"
SOURCE = "report on low-pass activations, section 4.4"
COLUMNS = ("FLOPs, M", "parameters, M")
TABLE_2 = {
    "AlexNet": (98.2433, 61.101),
    "VGG16": (437.517, 138.358),
    "VGG19": (533.505, 143.667),
    "Resnet18": (37.6735, 11.689),
    "Resnet34": (75.4862, 21.798),
    "Resnet101": (162.098, 44.549),
    "Resnet50": (84.06, 23.542),
    "Resnet50_LeakyReLU": (84.06, 23.542),
    "Resnet50_LP_ReLU1": (84.56, 23.542),
    "Resnet50_LP_ReLU2": (85.60, 23.542),
}
SIDES = {"AlexNet": 64}
SIDE = 32
CLASSES = 17
HEAD_OF_17 = "Resnet50"
NOTES = (
    "FLOPs count a multiply-add once, as the report does, in convolutions and matrix products; its figures for LP-ReLU "
    "are upper bounds that count the activations too.",
    "The counts fit torchvision's networks with their stems for 224 pixels at the side given, with a head of 17 "
    "classes for ResNet-50 and of 1000 for the others.",
)


@item(PAPER, "table-2", "operations and parameters of ten networks", ())
def table_2(shop: Workshop) -> list[Path]:
    """Counted by torch on networks without numbers."""
    entries: dict[tuple[str, str], Entry] = {}
    for row in TABLE_2:
        spec = _spec(row)
        net = models.sketch(spec, classes=CLASSES if row.startswith(HEAD_OF_17) else 1000)
        parameters = sum(values.numel() for values in net.module.parameters())
        for column, count in zip(COLUMNS, (models.flops(net) / 2, parameters), strict=True):
            entries[row, column] = Entry(count / 1e6, facts={"model": spec})
    table = Table("Table 2: operations and parameters", SOURCE, COLUMNS, TABLE_2, entries, NOTES, digits=3)
    return table.write(shop.out / "table-2")


def _spec(row: str) -> str:
    name, _, activation = row.lower().partition("_")
    spelled = {"leakyrelu": "leaky_relu"}.get(activation, activation)
    return f"torchvision:{name}:{SIDES.get(row, SIDE)}" + (f"@{spelled}" if spelled else "")
