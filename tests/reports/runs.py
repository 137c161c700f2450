"""Small runs of made-up scores, written as cells: what a bench of real models would leave, with answers that are known."""

import hashlib

import numpy as np

from robustiqa.benchmarks.cell import CellSpec, DatasetRecord, ModelRecord, PartRecord, SampleRow
from robustiqa.benchmarks.folder.store import Store

EPS = (2 / 255, 4 / 255, 8 / 255, 10 / 255)


def dataset(name, pairs, mean, human_score="DMOS (1 to 5, higher is better)"):
    digest = hashlib.sha256(name.encode()).hexdigest()
    return DatasetRecord(name=name, manifest=digest, pairs=pairs, mean_quality=mean, human_score=human_score, labels=name)


def model(name, trained_on=(), lower_better=False):
    return ModelRecord(name=name, lower_better=lower_better, score_range=(None, None), trained_on=trained_on,
                       licence="toy", flags=(), weights=name, code="built-in")  # fmt: skip


def part(name, label=None):
    return PartRecord(name=name, label=label or name, parameters={})


class Made:
    """A folder of cells of one dataset. ``move`` is how far an attack raises a score at 8/255, by (model, defense)."""

    def __init__(self, folder, name="kadid10k", references=22, each=4, human_score="DMOS (1 to 5, higher is better)", human=None):
        self.store = Store(folder)
        rng = np.random.default_rng(1)
        count = references * each
        self.human = rng.uniform(1, 5, count) if human is None else np.asarray(human)
        self.ids = [f"i{i:04d}" for i in range(count)]
        self.references = [f"r{i // each:03d}" for i in range(count)]
        self.dataset = dataset(name, count, float(self.human.mean()), human_score)

    def add(self, model, defense=None, noise=0.3, attacks=(), move=1.0, eps=EPS, seed=0, crop=None):
        """Clean, calibration and attacked cells of one model; attacks are PartRecords or names, moved alike."""
        rng = np.random.default_rng([seed, *map(ord, model.name + (defense.label if defense else ""))])
        sign = -1 if model.lower_better else 1
        clean = self.human + noise * rng.normal(size=len(self.ids))
        calibration = rng.uniform(1, 5, 60)
        common = {"model": model, "defense": defense, "randomised": False, "eot": 1, "seed": 0, "version": "0.1.0"}
        own = {**common, "dataset": self.dataset}
        still = {"attack": None, "eps": 0.0, "direction": "none", "threat": "none"}
        rows = [self._row(i, sign * clean[i]) for i in range(len(self.ids))]
        self.store.finish(CellSpec(purpose="clean", crop=None, **still, **own), rows, {})
        demo = {**common, "dataset": dataset("demo", 60, 3.0)}
        noisy = calibration + noise * rng.normal(size=60)
        self.store.finish(
            CellSpec(purpose="calibration", crop=crop, **still, **demo),
            [SampleRow(id=f"c{i}", reference=f"c{i % 6}", distortion="x", quality=calibration[i], status="ok",
                       clean=float(sign * noisy[i])) for i in range(60)], {})  # fmt: skip
        for attack in attacks:
            record = part(attack) if isinstance(attack, str) else attack
            for radius in eps:
                for direction, up in (("up", 1), ("down", -1)):
                    moved = clean + up * move * radius * 255 / 8
                    spec = CellSpec(purpose="attack", attack=record, eps=radius, direction=direction, crop=crop,
                                    threat="adaptive" if defense else "white-box", **own)  # fmt: skip
                    after = [self._row(i, sign * clean[i], sign * moved[i]) for i in range(len(self.ids))]
                    self.store.finish(spec, after, {})
        return clean

    def _row(self, i, clean, attacked=None):
        own = {} if attacked is None else {"attacked": float(attacked), "attacked_8bit": float(attacked), "ssim": 0.9}
        return SampleRow(id=self.ids[i], reference=self.references[i], distortion=f"t{i % 2}", quality=float(self.human[i]),
                         status="ok", clean=float(clean), size=(512, 384), forwards=10, backwards=10, **own)  # fmt: skip
