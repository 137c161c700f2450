"""Parts of a training run: drafts, shelves, batches, labels of compositions, rates, averages and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from robustiqa.core.errors import InvalidInput
from robustiqa.core.images import to_tensor
from robustiqa.datasets.distortions import distort
from robustiqa.datasets.expected_scores import PRISTINE, expected_score
from robustiqa.models.birqa.entry import TRAINABLE
from robustiqa.models.birqa.model import Settings
from robustiqa.training.batches import IDENTICAL, Sampler
from robustiqa.training.checkpoint import State
from robustiqa.training.labels import Distillation, make_labels
from robustiqa.training.log import COLUMNS, CsvLog, read_log
from robustiqa.training.pairs import Shelf, make_shelves
from robustiqa.training.recipe import load_recipe
from robustiqa.training.run import Run
from robustiqa.training.synthesis import (
    BEYOND,
    COMMON,
    COMPOSABLE,
    CONTRAST,
    DARK_FRAME,
    TRANSMISSION,
    Draft,
    drafts,
    render,
)
from robustiqa.training.synthesis import Recipe as Synthesis
from robustiqa.training.teachers import teacher_scores, tiles
from robustiqa.training.validation import validate

TINY = Synthesis(beyond=0, common=0, composed=1, transmission=1, unpublished=1, crop=96, tile=96)
PAIRS = 125 + 1 + 1 + 4


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Two smooth random pictures, one larger than the crop in one direction only."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(1)
    for name, size in {"p": (96, 128), "q": (120, 112)}.items():
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        small.resize(size, Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    return sorted(folder.glob("*.png"))


@pytest.fixture(scope="module")
def shelves(photographs, tmp_path_factory):
    return list(make_shelves(photographs, tmp_path_factory.mktemp("shelves"), TINY, seed=3, jobs=1))


def shelf(size, pairs=4, tile=None):
    """Distorted images are the reference plus 60 times the pair's number (mod 256), so that a crop tells its pair."""
    pristine = np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8)
    distorted = np.stack([pristine + np.uint8(60 * i) for i in range(pairs)])
    return Shelf("r", pristine, np.zeros((pairs, 2), np.int64), distorted, (), np.zeros((pairs, 1, 5)), tile or size)


def test_extra_drafts_are_as_many_as_asked_and_of_the_kinds_that_allow_them():
    """Beyond: only growing types past level 5.5; composed: two or three common types; transmission: mild JPEG 2000 after."""
    recipe = Synthesis(beyond=2, common=3, composed=30, transmission=4, unpublished=0)
    extra = list(drafts("a", recipe, 0))[125:]
    grown = 2 * len(BEYOND)
    beyond, more, composed, lost = extra[:grown], extra[grown : grown + 12], extra[grown + 12 : -4], extra[-4:]
    assert sorted(d.steps[0][0] for d in more) == sorted(3 * COMMON)
    assert sorted(d.steps[0][0] for d in beyond) == sorted(2 * BEYOND)
    assert all(len(d.steps) == 1 and 5.5 <= d.steps[0][1] <= recipe.highest_level for d in beyond)
    assert len(composed) == 30
    assert {len(d.steps) for d in composed} == {2, 3}
    assert all(len({code for code, _ in d.steps}) == len(d.steps) for d in composed)
    assert {code for d in composed for code, _ in d.steps} <= set(COMPOSABLE)
    assert all([code for code, _ in d.steps] == [TRANSMISSION, 9] for d in lost)


def test_levels_stay_in_their_strata_and_change_with_the_seed():
    """Level s is drawn within half a level of s, anew for each seed."""
    one, other = (list(drafts("a", TINY, seed))[:125] for seed in (0, 1))
    for i, draft in enumerate(one):
        ((code, level),) = draft.steps
        assert code == i // 5 + 1
        assert abs(level - (i % 5 + 1)) <= 0.5
    assert all(a.steps[0][0] == b.steps[0][0] and a != b for a, b in zip(one, other, strict=True))


def test_steps_are_applied_in_their_order():
    """A composition is the second type applied to what the first one made, not the other way round."""
    rgb = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    steps = ((1, 3.0), (10, 4.0))
    made = render(rgb, Draft("a", steps), 7)
    assert np.array_equal(made, distort(distort(rgb, 1, 3.0, "7/a"), 10, 4.0, "7/a"))
    assert not np.array_equal(made, render(rgb, Draft("a", steps[::-1]), 7))


def test_shelves_hold_what_their_drafts_say(shelves):
    """Every distorted crop is its draft applied to its window of the reference; windows lie inside."""
    for one in shelves:
        assert len(one.drafts) == len(one.distorted) == len(one.teachers) == PAIRS
        for i in range(0, PAIRS, 9):
            ref, dist = one.pair(i)
            assert ref.shape == dist.shape == (96, 96, 3)
            assert np.array_equal(render(ref, one.drafts[i], 3), dist)


def test_shelves_are_read_again_rather_than_made_again(photographs, tmp_path):
    """A second call leaves the files alone and finds the same pairs; one that was interrupted is made anew."""
    first = list(make_shelves(photographs, tmp_path, TINY, seed=3, jobs=1))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = list(make_shelves(photographs, tmp_path, TINY, seed=3, jobs=1))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    next(tmp_path.glob("p-*.csv")).unlink()
    rebuilt = list(make_shelves(photographs, tmp_path, TINY, seed=3, jobs=1))
    for a, b, c in zip(first, again, rebuilt, strict=True):
        assert np.array_equal(a.distorted, b.distorted)
        assert np.array_equal(a.distorted, c.distorted)
        assert np.array_equal(b.teachers, c.teachers, equal_nan=True)


def test_photographs_below_the_window_are_refused_by_name(photographs, tmp_path):
    """Not numpy's "low >= high"."""
    with pytest.raises(InvalidInput, match="p: 96x128 is below the training window of 100"):
        make_shelves(photographs, tmp_path, Synthesis(crop=100, tile=100), seed=0, jobs=1)


def test_teachers_rank_the_levels_of_a_blur_downwards(shelves):
    """All that judged it find the strongest published blur worse than the weakest; VIF judges contrast alone."""
    for one in shelves:
        assert (one.teachers[4, 0, :4] < one.teachers[0, 0, :4]).all()
        judged_by_vif = [i for i in range(PAIRS) if np.isfinite(one.teachers[i, 0, 4])]
        assert [one.drafts[i].code for i in judged_by_vif] == [25] * 5 + [CONTRAST]


def test_teachers_judge_tile_by_tile(photographs):
    """Damage in one quarter of a window costs that quarter alone; tiles are counted row by row."""
    ref = to_tensor(np.asarray(Image.open(photographs[0]).convert("RGB").resize((384, 384))))
    dist = ref.clone()
    dist[:, 192:, :192] = 0.5
    cut = [tiles(image, 192) for image in (ref, dist)]
    assert cut[0][2].equal(ref[:, 192:, :192])
    scores = teacher_scores(*cut, contrast=True)
    assert scores.shape == (4, 5)
    for row in (0, 1, 3):
        assert (scores[2] < scores[row]).all()
        assert np.allclose(scores[row, [0, 2, 3, 4]], scores[0, [0, 2, 3, 4]], atol=1e-4)


def test_a_dark_frame_is_kept_from_the_teachers(photographs):
    """The image has it, the twin that they judge has not; inside, both are the same blur."""
    rgb = np.asarray(Image.open(photographs[0]).convert("RGB"))
    framed = Draft("a", ((DARK_FRAME, 2.0),))
    image, judged = (render(rgb, draft, 0).astype(int) for draft in (framed, framed.judged))
    assert image[0].mean() < 0.7 * judged[0].mean()
    assert np.abs(image[10:-10, 10:-10] - judged[10:-10, 10:-10]).max() <= 4
    assert Draft("a", ((1, 2.0),)).judged == Draft("a", ((1, 2.0),))


@pytest.mark.parametrize(("code", "neutral"), [(CONTRAST, 1.0), (-2, 0.0), (-3, 1.0)])
def test_unpublished_tones_and_colours_have_a_neutral_amount(photographs, code, neutral):
    """Factor 1 and offset 0 change nothing (CIELAB's round trip: one grey level); other amounts do."""
    rgb = np.asarray(Image.open(photographs[0]).convert("RGB"))
    same, other = (render(rgb, Draft("a", ((code, neutral + step),)), 0).astype(int) for step in (0.0, 0.15))
    assert np.abs(same - rgb).max() <= 1
    assert np.abs(other - rgb).max() > 5
    assert to_tensor(other.astype(np.uint8)).isfinite().all()


def test_batches_depend_on_seed_and_step_alone():
    """Drawn in any order and by another sampler; other steps and seeds draw something else."""
    one, two = shelf(40), shelf(48)
    labels = [np.arange(4.0)[:, None], 10 + np.arange(4.0)[:, None]]
    sizes = [(32, 3, 0.5), (40, 2, 0.5)]
    a, b, c = (Sampler([one, two], labels, sizes, seed) for seed in (5, 5, 6))
    forwards = [a.batch(step) for step in range(6)]
    backwards = [b.batch(step) for step in reversed(range(6))][::-1]
    for x, y in zip(forwards, backwards, strict=True):
        assert x.ref.equal(y.ref)
        assert x.dist.equal(y.dist)
        assert x.label.equal(y.label)
    assert {tuple(x.ref.shape) for x in forwards} == {(3, 3, 32, 32), (2, 3, 40, 40)}
    assert len({float(x.ref.sum()) for x in forwards}) == 6
    assert float(c.batch(0).ref.sum()) != float(a.batch(0).ref.sum())


def test_crops_of_a_pair_are_aligned_and_carry_its_label():
    """However turned and mirrored: distorted minus reference is what the labelled pair adds, at every pixel."""
    sampler = Sampler([shelf(40)], [np.arange(4.0)[:, None]], [(33, 16, 1.0)], seed=0)
    batch = sampler.batch(0)
    difference = ((batch.dist - batch.ref) * 255).round() % 256
    assert difference.equal((60 * batch.label)[:, None, None, None].expand_as(difference))
    assert len(set(batch.label.tolist())) > 1


def test_a_crop_lies_in_one_tile_and_carries_its_label():
    """Tiles are told apart by what is added to the reference: a crop across two would show two differences."""
    pristine = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    added = np.array([[1, 2], [3, 4]]).repeat(32, 0).repeat(32, 1)[..., None] * 40
    distorted = (pristine + added).astype(np.uint8)[None]
    one = Shelf("r", pristine, np.zeros((1, 2), np.int64), distorted, (), np.zeros((1, 4, 5)), 32)
    batch = Sampler([one], [np.array([[1.0, 2.0, 3.0, 4.0]])], [(20, 32, 1.0)], seed=0).batch(0)
    difference = ((batch.dist - batch.ref) * 255).round() % 256
    assert difference.equal((40 * batch.label)[:, None, None, None].expand_as(difference))
    assert set(batch.label.tolist()) == {1, 2, 3, 4}


def test_identical_crops_get_the_highest_score():
    """Share 1: every crop is compared with itself; share 0: none. No other label is as high."""
    everything = Sampler([shelf(40)], [np.arange(4.0)[:, None]], [(32, 8, 1.0)], 0, identical=1.0).batch(0)
    assert everything.dist.equal(everything.ref)
    assert everything.label.tolist() == pytest.approx([IDENTICAL] * 8)
    assert IDENTICAL > PRISTINE
    assert IDENTICAL not in Sampler([shelf(40)], [np.arange(4.0)[:, None]], [(32, 8, 1.0)], 0).batch(0).label.tolist()


def agreeing(verdict, contrast=None):
    """Scores [n, 1, 5] of four teachers who agree, and of VIF where ``contrast`` gives them."""
    vif = np.full(len(verdict), np.nan) if contrast is None else contrast
    return np.concatenate((np.tile(verdict[:, None], 4), vif[:, None]), 1)[:, None]


def test_calibration_moves_common_types_to_where_the_teachers_see_them():
    """JPEG and noise that teachers find equal: apart by their published means without it, equal with it."""
    levels = np.linspace(1, 5, 60)
    plan = [Draft("a", ((code, level),)) for code in (10, 11) for level in levels]
    teachers = agreeing(np.tile(-levels, 2))
    apart, together = (make_labels(plan, teachers, Distillation(0, share))[:, 0] for share in (0.0, 1.0))
    gaps = [np.abs(values[:60] - values[60:]).max() for values in (apart, together)]
    assert gaps[0] > 0.6
    assert gaps[1] < 1e-9


def test_unpublished_types_are_labelled_by_their_kin():
    """More contrast looks better to VIF: linear contrast follows published contrast, not what the four think of it."""
    published = [Draft("a", ((25, level),)) for level in np.linspace(1, 5, 40)]
    quality = np.array([expected_score(25, d.steps[0][1]) for d in published])
    linear = [Draft("a", ((CONTRAST, factor),)) for factor in (0.5, 0.8, 1.2)]
    vif = np.concatenate((quality, (3.5, 3.9, 4.2)))
    labels = make_labels(published + linear, agreeing(-vif, vif), Distillation(0))[:, 0]
    assert np.abs(labels[40:] - (3.5, 3.9, 4.2)).max() < 0.15


def test_compositions_are_labelled_by_the_verdict_of_their_teachers():
    """Where teachers find a composition equal to a published pair, so is its label; worse verdicts are never better."""
    plan = [Draft("a", ((10, level),)) for level in np.linspace(1, 5, 41)]
    quality = np.array([expected_score(10, d.steps[0][1]) for d in plan])
    mixed = [Draft("a", ((1, 2.0), (10, 2.0)))] * 9
    verdict = np.linspace(1.5, 3.5, 9)
    labels = make_labels(plan + mixed, agreeing(np.concatenate([quality, verdict])), Distillation(0))[41:, 0]
    assert (np.diff(labels) >= 0).all()
    assert np.abs(labels - verdict).max() < 0.25


def test_average_follows_fast_at_first_and_slowly_later():
    """Decay (1 + step) / (10 + step) until it reaches the asked one."""
    model, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    for step, kept in ((0, 0.1), (90, 0.9), (10**6, 0.9)):
        nn.init.ones_(model.weight)
        nn.init.zeros_(average.weight)
        State(model, average, torch.optim.Adam(model.parameters()), step).update_average(0.9)
        wanted = 1 - (0.1 if step == 0 else min(kept, 91 / 100))
        assert float(average.weight.detach()) == pytest.approx(wanted, abs=1e-6)


def test_a_checkpoint_cannot_run_code(tmp_path):
    """A pickle in place of a checkpoint is refused unread, and leaves no trace."""
    import pickle

    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    (tmp_path / "run.pt").write_bytes(pickle.dumps({"model": Trap()}, protocol=2))
    model = nn.Linear(1, 1)
    with pytest.raises(InvalidInput, match="UnpicklingError"):
        State(model, model, torch.optim.Adam(model.parameters())).resume(tmp_path / "run.pt")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half of one", None])
def test_a_damaged_checkpoint_is_one_clear_line(tmp_path, content):
    """Cut short at any place, or something else: it says how to begin anew."""
    model, path = nn.Linear(1, 1), tmp_path / "run.pt"
    state = State(model, model, torch.optim.Adam(model.parameters()))
    state.save(path)
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    with pytest.raises(InvalidInput, match=r"run\.pt is damaged.*remove it to begin anew"):
        state.resume(path)


def test_log_continues_a_file_under_one_header(tmp_path):
    """A resumed run drops the rows that it repeats, and one that a kill cut short; what a step lacks stays empty."""
    path = tmp_path / "log.csv"
    for step, loss in ((1, 0.5), (2, 0.4), (3, 0.3)):
        CsvLog(path)(step, {"loss": loss})
    with path.open("a") as file:
        file.write("4,0.")
    resumed = CsvLog(path)
    resumed(2, {"loss": 0.25, "validation_srocc": 0.9})
    resumed(3, {"loss": 0.2})
    rows = read_log(path)
    assert [(row["step"], row["loss"], row["validation_srocc"]) for row in rows] == [("1", "0.5", ""), ("2", "0.25", "0.9"), ("3", "0.2", "")]
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert read_log(tmp_path / "none.csv") == []


def test_parts_of_a_run_share_no_reference_and_ignore_the_order_of_files(tmp_path):
    """Train, validation and test are disjoint, complete and the same whatever the file system's order."""
    paths = tuple(tmp_path / f"{i}.png" for i in range(20))
    recipe = load_recipe("clean")
    parts = Run(TRAINABLE, Settings(), recipe, paths, tmp_path / "x").split()
    assert sorted(sum(parts.values(), [])) == sorted(paths)
    assert all(parts.values())
    assert Run(TRAINABLE, Settings(), recipe, paths[::-1], tmp_path / "x").split() == parts
    with pytest.raises(InvalidInput, match="4 photographs"):
        Run(TRAINABLE, Settings(), recipe, paths[:4], tmp_path / "x").split()


def test_validation_scores_held_out_shelves_against_their_labels(shelves):
    """A model that knows the labels reaches 1, one that inverts them -1, on pairs of both references."""
    labels = [np.random.default_rng(i).normal(size=(PAIRS, 1)) for i in range(2)]
    known = {
        np.ascontiguousarray(one.pair(i)[1]).tobytes(): float(values[i, 0])
        for one, values in zip(shelves, labels, strict=True)
        for i in range(PAIRS)
    }
    seen = []

    def oracle(sign):
        def score(ref, dist):
            rgb = (dist[0] * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
            seen.append(rgb.tobytes())
            return torch.tensor(sign * known[rgb.tobytes()])

        return score

    assert validate(oracle(1), shelves, labels)["validation_srocc"] == pytest.approx(1)
    assert validate(oracle(-1), shelves, labels)["validation_srocc"] == pytest.approx(-1)
    assert validate(oracle(-1), shelves, labels, orientation=-1)["validation_srocc"] == pytest.approx(1)
    first = {np.ascontiguousarray(shelves[0].pair(i)[1]).tobytes() for i in range(PAIRS)}
    assert 0 < sum(one in first for one in seen) < len(seen)
