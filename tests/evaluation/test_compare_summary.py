"""The short report of a comparison."""

from __future__ import annotations

import pytest

from ectopy.evaluation.compare import compare_runs
from ectopy.evaluation.compare_summary import summary
from ectopy.printing import number


@pytest.fixture(scope="module")
def both(made_up_run):
    return {
        protocol: compare_runs(
            [
                made_up_run(model, seed, protocol=protocol)
                for model in ("cnn-kan", "cnn-mlp")
                for seed in range(2)
            ]
        )
        for protocol in ("intra", "inter")
    }


@pytest.mark.parametrize("protocol", ["intra", "inter"])
def test_every_model_has_its_row(both, protocol):
    results = both[protocol]
    text = summary(results)
    for model, one in results["models"].items():
        macro, s = one["scores"]["macro_f1"], one["per_class"]["S"]["f1"]
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{model}` |")]
        assert (
            f"| {number(macro['mean'], 3)} ± {number(macro['sd'], 3)} [{number(macro['low'], 3)}, "
            f"{number(macro['high'], 3)}] |" in row
        )
        assert f"| {number(s['mean'], 3)} ± {number(s['sd'], 3)} |" in row
        assert f"{one['parameters']:,}" in row
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {12}
    assert f"{results['n']:,} test beats" in text
    assert "over 2 training seeds" in text


def test_the_difference_of_heads_is_named_with_its_interval(both):
    for results in both.values():
        gap = results["comparisons"][0]["differences"]["macro_f1"]
        shown = [number(gap[key], signed=True) for key in ("point", "low", "high")]
        assert (
            f"- `cnn-kan` minus `cnn-mlp`: macro F1 {shown[0]} [{shown[1]}, {shown[2]}], p "
            in summary(results)
        )
    assert "swapping the two models' answers, record by record" in summary(both["inter"])
    assert "p is by bootstrap" in summary(both["intra"])


def test_records_that_matter_are_left_out_under_inter_alone(both):
    text = summary(both["inter"])
    assert "Without record 232 (it alone holds most of the S beats" in text
    assert "Without record 202 (" in text
    assert "Without record" not in summary(both["intra"])


def test_what_is_left_to_a_human(both):
    results = both["intra"]
    risk = results["models"]["cnn-kan"]["risk_coverage"]
    assert "least certain 0, 1, 2, 5, 10 % of beats" in summary(results)
    assert ", ".join(f"{100 * e['mean']:.2f}" for e in risk["errors"]) in summary(results)


def test_one_model_alone_has_no_differences(made_up_run):
    text = summary(compare_runs([made_up_run("cnn-mlp", 0)]))
    assert "minus" not in text
    assert "p is by" not in text
