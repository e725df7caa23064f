"""The report: made-up run directories of all tracks in, one page out whose numbers are those of the run."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from baseline.report import write_report
from toolkit.errors import UserError

EMOTIONS = ["neutral", "angry", "happy", "sad", "worried", "surprise"]
WORDS = ["happy", "joyful", "angry", "dissatisfied", "worried", "sad", "calm", "surprised", "excited", "helpless"]
SCORE_NAMES = {"multi": "WAF - 0.25 MSE", "noise": "weighted F1", "semi": "weighted F1", "ov": "set score"}
FEATURES = {"prosody": "audio", "char-hash": "text", "face-hog": "visual"}


def _emotion_rows(generator, split, count, valence):
    truth = generator.choice(6, count, p=[0.2, 0.2, 0.2, 0.15, 0.15, 0.1])
    logits = generator.normal(size=(count, 6)) + 2.2 * np.eye(6)[truth]
    logits[:, 4] += 1.4 * (truth == 3)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    guess = probabilities.argmax(1)
    table = pd.DataFrame({"name": [f"{split}_{i:04d}" for i in range(count)], "split": split, "fold": np.nan})
    table["emotion"] = np.array(EMOTIONS)[guess]
    table["true_emotion"] = np.array(EMOTIONS)[truth]
    if valence:
        centre = np.array([-0.1, -2.5, 1.8, -2.4, -1.0, -0.4])
        table["true_valence"] = centre[truth] + generator.normal(size=count) * 0.8
        table["valence"] = 0.8 * table["true_valence"] + generator.normal(size=count) * 0.7
    for number, emotion in enumerate(EMOTIONS):
        table[f"probability_{emotion}"] = probabilities[:, number]
    matrix = np.zeros((6, 6), int)
    np.add.at(matrix, (truth, guess), 1)
    return table, {"labels": EMOTIONS, "matrix": matrix.tolist()}


def _word_rows(generator, split, count):
    def draw():
        return sorted(set(map(str, generator.choice(WORDS, generator.integers(1, 5), p=np.arange(10, 0, -1) / 55))))

    table = pd.DataFrame({"name": [f"{split}_{i:04d}" for i in range(count)], "split": split, "fold": np.nan})
    true = [draw() for _ in range(count)]
    table["openset"] = [str(sorted({w for w in words if generator.random() < 0.6} | set(draw()[:1]))) for words in true]
    table["true_openset"] = [str(words) for words in true]
    return table


def _scores(generator, track, centre):
    score = float(centre + generator.normal() * 0.02)
    if track == "ov":
        sets = {"score": score, "set_accuracy": score + 0.05, "set_recall": score - 0.05}
        return sets | {"wheel_f1": score + 0.07, "wheel_level1": score + 0.08, "wheel_level2": score + 0.06}
    scores = {"weighted_f1": score + (0.2 if track == "multi" else 0), "accuracy": score + 0.11, "score": score}
    return scores | ({"mse": 0.83 + 0.1 * float(generator.random())} if track == "multi" else {})


def _summary(folds):
    return {
        key: {"mean": float(np.mean([f[key] for f in folds])), "std": float(np.std([f[key] for f in folds]))}
        for key in folds[0]
    }


def make_run(folder: Path, track: str) -> Path:
    """Writes a run directory with everything that the track's report can show."""
    generator = np.random.default_rng(len(track))
    run = folder / track / "made-up"
    run.mkdir(parents=True)
    folds = [_scores(generator, track, 0.5) for _ in range(5)]
    key = "weighted_f1" if track != "ov" else "score"
    metrics = {
        "track": track,
        "score_name": SCORE_NAMES[track],
        "seconds": 83.4,
        "selection": "best epoch on the validation fold",
        "folds": [{"fold": i, "epoch": 20 + 3 * i, "clips": 60, "scores": s} for i, s in enumerate(folds)],
        "validation": _summary(folds),
        "out_of_fold": {"clips": 300, "scores": _scores(generator, track, 0.5)},
        "test": {},
        "modalities": {},
        "coverage": {
            "prosody": {"ok": 396, "silent": 3, "no_audio": 1},
            "face-hog": {"ok": 390, "no_face": 9, "unreadable": 1},
            "char-hash": {"ok": 398, "empty_text": 2},
        },
        "without_features": {"train": 1, f"test_{track}": 0},
    }
    split = f"test_{track}"
    tables = []
    for name, count in ((split, 120), ("test_clean", 80))[: 2 if track == "noise" else 1]:
        entry = {"clips": count, "scores": _scores(generator, track, 0.52)}
        if track == "ov":
            table = _word_rows(generator, name, count)
        else:
            table, entry["confusion"] = _emotion_rows(generator, name, count, track == "multi")
        metrics["test"][name] = entry
        tables.append(table)
    for name, centre in (("audio", 0.55), ("text", 0.5), ("visual", 0.6), ("fused", 0.71)):
        values = [float(centre + generator.normal() * 0.03) for _ in range(5)]
        summary = {"mean": float(np.mean(values)), "std": float(np.std(values))}
        tests = {s: {key: float(centre + generator.normal() * 0.02)} for s in metrics["test"]}
        features = [feature for feature, modality in FEATURES.items() if modality == name] or list(FEATURES)
        metrics["modalities"][name] = {
            "features": features,
            "validation": {key: summary},
            "folds": values,
            "test": tests,
        }
    metrics |= _special(generator, track, split)
    _write_rest(run, track, metrics, pd.concat(tables), generator)
    return run


def _special(generator, track, split):
    """What only some tracks have: the curve over noise, the rounds of pseudo-labels."""
    if track == "noise":
        levels = (None, 20.0, 15.0, 10.0, 5.0, 0.0)
        curve = [
            {
                "snr": snr,
                "clips": 80,
                "scores": _scores(generator, track, 0.62 - 0.01 * (0 if snr is None else 20 - snr)),
                "clean_trained": _scores(generator, track, 0.64 - 0.022 * (0 if snr is None else 20 - snr)),
            }
            for snr in levels
        ]
        clean = {"test": {split: {"clips": 120, "scores": _scores(generator, track, 0.4)}}}
        return {"noise_curve": curve, "clean_trained": clean}
    if track == "semi":
        return {"rounds": [_round(generator, track, split, number) for number in range(4)], "chosen_round": 2}
    return {}


def _round(generator, track, split, number):
    return {
        "round": number,
        "added": 40 * number,
        "per_class": {e: (7 + i) * number for i, e in enumerate(EMOTIONS)},
        "thresholds": {e: 0.8 - 0.02 * i for i, e in enumerate(EMOTIONS)} if number else {},
        "validation": _summary([_scores(generator, track, 0.6 + 0.02 * number) for _ in range(5)]),
        "test": {split: _scores(generator, track, 0.61 + 0.02 * number)},
    }


def _write_rest(run, track, metrics, predictions, generator):
    config = {"track": track, "corpus": "demo:work/corpus", "features": list(FEATURES), "model": "attention", "seed": 0}
    caches = {
        name: {
            "identity": f"{7 * number:016x}",
            "modality": modality,
            "spec": {"licence": "Apache-2.0" if name != "egemaps" else "research", "checkpoint": "builtin"},
        }
        for number, (name, modality) in enumerate(FEATURES.items(), 1)
    }
    environment = {
        "python": "3.11.7",
        "platform": "Linux x86_64",
        "device": "cpu",
        "git_commit": "0123456789abcdef",
        "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
        "caches": caches,
    }
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "config.yaml").write_text(
        yaml.safe_dump(config | {"folds": 5, "hidden": 64, "learning_rate": 0.001}, sort_keys=False)
    )
    (run / "environment.json").write_text(json.dumps(environment))
    predictions.to_csv(run / "predictions.csv", index=False)
    folds = pd.DataFrame({"name": [f"train_{i:04d}" for i in range(300)], "fold": np.arange(300) % 5})
    folds.to_csv(run / "folds.csv", index=False)


class Page(HTMLParser):
    """What a test asks of a page: numbers, ids, text of every table row, addresses."""

    def __init__(self, html):
        super().__init__()
        self.values, self.ids, self.rows, self.addresses, self.open = [], [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.open += [tag] if tag not in ("meta", "use", "br") else []
        if tag == "data":
            self.values.append(float(attributes["value"]))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.addresses += [attributes[key] for key in ("href", "src", "xlink:href", "action") if key in attributes]

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if {"td", "th"} & set(self.open) and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()

    def row(self, label):
        return next(row for row in self.rows if row[0] == label)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Run directory, metrics and page of every track."""
    folder = tmp_path_factory.mktemp("runs")
    made = {}
    for track in SCORE_NAMES:
        run = make_run(folder, track)
        made[track] = (run, json.loads((run / "metrics.json").read_text()), write_report(run).read_text("utf-8"))
    return made


@pytest.mark.parametrize("track", SCORE_NAMES)
def test_every_score_of_the_metrics_is_on_the_page(pages, track):
    _, metrics, html = pages[track]
    shown = set(Page(html).values)
    expected = [value for fold in metrics["folds"] for value in fold["scores"].values()]
    expected += [value for entry in metrics["test"].values() for value in entry["scores"].values()]
    expected += [value for entry in metrics["validation"].values() for value in entry.values()]
    expected += metrics["out_of_fold"]["scores"].values()
    expected += [
        v for entry in metrics.get("clean_trained", {"test": {}})["test"].values() for v in entry["scores"].values()
    ]
    for entry in metrics["modalities"].values():
        expected += [value for summary in entry["validation"].values() for value in summary.values()]
        expected += [value for scores in entry["test"].values() for value in scores.values()]
    for point in metrics.get("noise_curve", []):
        expected += [point["scores"]["score"], point["clean_trained"]["score"]]
    for entry in metrics.get("rounds", []):
        expected += [*entry["validation"]["score"].values(), entry["test"]["test_semi"]["score"]]
    assert len(expected) > 30
    assert [value for value in expected if value not in shown] == []


@pytest.mark.parametrize("track", SCORE_NAMES)
def test_the_page_stands_alone(pages, track):
    _, _, html = pages[track]
    page = Page(html)
    assert page.addresses
    assert [address for address in page.addresses if not address.startswith("#")] == []
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|<img", html)
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(page.ids)
    assert page.open == []


def test_same_bytes_for_the_same_run(pages, tmp_path):
    run, _, html = pages["multi"]
    assert write_report(run).read_text("utf-8") == html
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("track", "shown", "hidden"),
    [
        (
            "multi",
            {"scores", "confusions", "modalities", "confidence", "valence", "repeat"},
            {"noise", "rounds", "words"},
        ),
        ("noise", {"scores", "confusions", "modalities", "noise", "confidence"}, {"rounds", "words", "valence"}),
        ("semi", {"scores", "confusions", "modalities", "rounds", "confidence"}, {"noise", "words", "valence"}),
        ("ov", {"scores", "modalities", "words", "coverage"}, {"noise", "rounds", "confusions", "valence"}),
    ],
)
def test_each_track_shows_what_applies(pages, track, shown, hidden):
    ids = set(Page(pages[track][2]).ids)
    assert shown <= ids
    assert not hidden & ids


def test_pictures_of_multi(pages):
    html = pages["multi"][2]
    labels = re.findall(r'<svg [^>]*aria-label="([^"]+)"', html)
    assert [label.split(" by ")[0].split(" of ")[0].split(",")[0] for label in labels] == [
        "WAF − 0.25 MSE",
        "Confusion matrix",
        "Weighted F1",
        "Reliability diagram",
        "Predicted against true valence",
    ]


def test_confusion_counts_are_in_the_picture(pages):
    _, metrics, html = pages["semi"]
    matrix = metrics["test"]["test_semi"]["confusion"]["matrix"]
    picture = next(part for part in html.split("<svg ") if "Confusion matrix" in part).split("</svg>")[0]
    numbers = [int(number) for number in re.findall(r">(\d+)</text>", picture)]
    assert numbers == [count for line in matrix for count in line]


def test_coverage_command_and_licence(pages):
    run, _, html = pages["multi"]
    page = Page(html)
    assert page.row("prosody")[:4] == ["prosody", "audio", "400", "396"]
    assert page.row("prosody")[5] == "silent 3no audio 1"
    assert f"python main.py --config {run / 'config.yaml'}" in html
    assert "learning_rate: 0.001" in html
    licences = [row for row in page.rows if row[0] == "face-hog"][-1]
    assert licences == ["face-hog", "visual", "Apache-2.0", "builtin", f"{21:016x}"]


@pytest.mark.parametrize(
    ("track", "key"),
    [
        ("multi", "folds"),
        ("noise", "validation"),
        ("semi", "test"),
        ("ov", "modalities"),
        ("ov", "coverage"),
        ("semi", "out_of_fold"),
        ("noise", "score_name"),
        ("noise", "clean_trained"),
        ("semi", "chosen_round"),
    ],
)
def test_a_missing_key_leaves_the_rest(tmp_path, track, key):
    run = make_run(tmp_path, track)
    metrics = json.loads((run / "metrics.json").read_text())
    del metrics[key]
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert "repeat" in Page(write_report(run).read_text("utf-8")).ids


def test_metrics_alone_are_enough(tmp_path):
    (tmp_path / "metrics.json").write_text('{"track": "semi"}')
    html = write_report(tmp_path).read_text("utf-8")
    assert "The run kept no scores" in html
    assert Page(html).ids == ["top", "repeat"]


def test_one_fold_has_no_deviation(tmp_path):
    scores, facts = {"score": 0.25, "accuracy": 0.5}, {"fold": 0, "epoch": 3, "clips": 8}
    validation = {name: {"mean": value} for name, value in scores.items()}
    metrics = {"track": "semi", "folds": [facts | {"scores": scores}], "validation": validation}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "one fold" in page
    assert "of 1 folds" not in page
    assert "± 0" not in page


def test_names_and_words_are_escaped(tmp_path):
    run = make_run(tmp_path, "multi")
    table = pd.read_csv(run / "predictions.csv")
    table["name"] = "<b>&" + table["name"]
    table.to_csv(run / "predictions.csv", index=False)
    html = write_report(run).read_text("utf-8")
    assert "&lt;b&gt;&amp;test_multi_" in html
    assert "<b>" not in html


def test_folder_that_is_no_run(tmp_path):
    with pytest.raises(UserError, match=r"has no metrics.json. Expected the directory of a finished run"):
        write_report(tmp_path)
    with pytest.raises(UserError, match="is no folder"):
        write_report(tmp_path / "nowhere")


def test_damaged_metrics(tmp_path):
    (tmp_path / "metrics.json").write_text('{"track": ')
    with pytest.raises(UserError, match=r"A file of .* is damaged"):
        write_report(tmp_path)


def test_without_test_labels_the_folds_are_the_headline(tmp_path):
    run = make_run(tmp_path, "semi")
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["test"] = {"test_semi": {"clips": 0, "scores": {}}}
    (run / "metrics.json").write_text(json.dumps(metrics))
    html = write_report(run).read_text("utf-8")
    assert Page(html).values[0] == metrics["validation"]["score"]["mean"]
    assert "on the validation folds, mean ± std of 5 folds" in html
    assert "all 300 held-out clips together" in html
