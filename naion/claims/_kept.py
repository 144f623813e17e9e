"""Answers on disk, so that an audit that was stopped goes on where it was."""

import dataclasses
import json
from collections.abc import Sequence

import numpy as np

from ..batch import Checkpoint, digest
from ._answer import Answer, Change
from ._claims import Reading
from ._product import UNSEEN, Product
from ._runs import USUAL

ABOUT = {"kind": "audit of claims"}


def name_of(
    reading: Reading, products: Sequence[Product], draws: int, seed: int
) -> str:
    """The name of an answer's part: a digest of all that the answer depends on."""
    unseen = [UNSEEN for p in products if UNSEEN in p.inputs]
    asked = digest(reading, list(products), reading.asked, USUAL, draws, seed, *unseen)
    return f"answer_{asked[:24]}"


def kept(finished: Checkpoint, name: str, reading: Reading) -> Answer | None:
    """An answer that was kept, or none."""
    content = finished.get(name)
    if content is None:
        return None
    data = json.loads(content)
    change = data["change"]
    if change is not None:
        parts = tuple((n, words, d) for n, words, d in change["parts"])
        change = Change(
            change["distance"], parts, change["reaches"], np.array(change["best"])
        )
    return Answer(
        reading,
        np.array(data["values"]),
        np.array(data["median"]),
        data["probability"],
        tuple((n, kind, source, share) for n, kind, source, share in data["shares"]),
        change,
        data["outside"],
    )


def keep(finished: Checkpoint, name: str, answer: Answer) -> None:
    """Keep an answer; numbers are read as they were written, to the last digit."""
    fields = [f.name for f in dataclasses.fields(answer) if f.name != "reading"]
    data = {field: getattr(answer, field) for field in fields}
    if answer.change is not None:
        data["change"] = vars(answer.change)
    finished.save(name, json.dumps(data, default=np.ndarray.tolist).encode())
