"""What each flag means and what to do about it: the table of ``docs/flags.md``; a test holds the two equal."""

from typing import Final, NamedTuple


class Note(NamedTuple):
    """A flag's meaning and its remedy; commands and names stand between backticks."""

    meaning: str
    remedy: str


FLAG_NOTES: Final = {
    "8bit-loss": Note(
        "rounding the images to 8 bits takes more than 10 % of the gain",
        "quote the 8-bit gain; ε may be near one level",
    ),
    "attack-saw-references": Note(
        "the learned attack was trained on references of the same names as some of this dataset",
        "evaluate on the references that its JSON calls `held_out`",
    ),
    "attacks-missing": Note(
        "in a leaderboard: others in the table met attacks that this model did not",
        "run the same attacks on all",
    ),
    "batch-dependent": Note(
        "a score changed by more than 0.1 % when its image was scored alone",
        "a defect of the model: no number of it can be trusted",
    ),
    "bf16-search": Note(
        "the search followed the model in bfloat16; all scores are of the model in fp32",
        "compare with `--precision fp32` on a few images before quoting small differences",
    ),
    "black-box-stronger": Note(
        "an attack that follows no gradient gained over 1 % more than the best one that does, in the same setting",
        "the gradient is masked or the white box too weak; quote the black box, attack adaptively",
    ),
    "budget-cut": Note(
        "a limit on queries or seconds stopped some searches",
        "raise `--max-queries` or `--max-seconds` before comparing",
    ),
    "calibration-missed": Note(
        "under `--calibrate` some samples were too visible at every ε tried, or met the target at none",
        "raise `--eps`, or choose another target",
    ),
    "compiled-search": Note(
        "the search followed a compiled model (`torch.compile`); all scores are of the model itself",
        "nothing, unless a run without `--compile` gains more",
    ),
    "crop-N": Note(
        "images were cut to their central N pixels; human scores belong to whole images",
        "see the clean SROCC of the whole images beside it; run with `--crop 0`",
    ),
    "dead-gradients": Note(
        "so many of the search's gradients were zero everywhere or not finite (the CSV has the share)",
        "the model may hide its gradient; compare with `square`, attack a smooth version",
    ),
    "degenerate-replicates": Note(
        "some bootstrap resamples had constant scores and were dropped",
        "use more samples",
    ),
    "eps-exceeded": Note(
        "a perturbation left the ε ball",
        "a defect; report it",
    ),
    "eps-not-monotone": Note(
        "a smaller ε of the same attack gained over 1 % more",
        "the attack is stuck: more steps, restarts, or `autoattack`",
    ),
    "expected-scores": Note(
        "human scores are means of a distortion type and level, not of the image",
        "do not call them MOS",
    ),
    "failed": Note(
        "a cell of this setting, or the clean scores of its model, ended with an error; rows may be missing",
        "read `\"error\"` in `cells/*.jsonl`, mend the plug-in, run the same command again",
    ),
    "few-clusters": Note(
        "fewer than 20 references; the interval is too narrow to claim anything",
        "read the i.i.d. interval too, claim no significance",
    ),
    "ir-affine-map": Note(
        "fewer than 50 calibration scores: the IR-Score's map only matches mean and deviation",
        "read `--domain minmax` beside it",
    ),
    "ir-partial-eps": Note(
        "the IR-Score is not over ε = 2, 4, 8 and 10/255; the column `ir_eps` says over which",
        "attack at all four before comparing with the paper",
    ),
    "labels-seen-in-training": Note(
        "the model was trained on these same labels",
        "do not rank it against models without the flag",
    ),
    "non-adaptive": Note(
        "the undefended model was attacked, the defended one scored",
        "evaluate with `--threat adaptive`",
    ),
    "non-finite-scores": Note(
        "some scores were NaN or infinite; they are counted and left out",
        "see `n_excluded`",
    ),
    "plug-in": Note(
        "model, attack or defense is not part of robustiqa",
        "its code's sha256 is in the cell",
    ),
    "random-weights": Note(
        "the model's weights are random",
        "the number says nothing of the published model",
    ),
    "randomised-without-eot": Note(
        "the evaluated model draws at random and the attack followed single draws",
        "run with `--eot 8` or more",
    ),
    "reduced-budget": Note(
        "`autoattack:quick`",
        "run `autoattack:standard` before quoting",
    ),
    "restarts-improving": Note(
        "the most restarts of this attack still gained over 1 % more than the next fewer",
        "not converged: more restarts before quoting",
    ),
    "saturated": Note(
        "the loss of an attack library had no gradient where the score has one",
        "not evidence of robustness; use our attack of that name",
    ),
    "steps-not-monotone": Note(
        "fewer steps or queries of the same attack gained over 1 % more",
        "smaller steps, or `apgd`; the gradient may be noise",
    ),
    "transfer-stronger": Note(
        "another model's saved adversarials gained over 1 % more here than every attack on this model itself",
        "the white box is too weak or the gradient masked; quote the transfer, attack harder",
    ),
    "undefined": Note(
        "the statistic does not exist here (constant or too few scores)",
        "printed as a dash",
    ),
    "unfinished": Note(
        "the run was stopped; rows are missing",
        "run the same command again",
    ),
    "zero-range": Note(
        "the model's clean scores do not differ on the calibration set",
        "read `gain_raw`",
    ),
}
