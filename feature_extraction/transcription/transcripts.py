"""Transcripts on their way into a CSV, which is a corpus of its own and remembers what is done."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from toolkit.corpus import COLUMNS, Corpus
from toolkit.csv_table import bad_row, read_table
from toolkit.errors import UserError, did_you_mean
from toolkit.status import Status
from toolkit.whole_file import whole_file

FROM_CORPUS = "corpus"  # source of a transcript that was there before


class Transcript(NamedTuple):
    """What was said in a clip.

    Attributes:
        text: the words, empty where there are none
        text_status: what became of the clip
        text_reason: why it has no words
        text_source: what wrote it down
    """

    text: str
    text_status: Status
    text_reason: str
    text_source: str


class Transcripts:
    """The transcripts of a corpus, and the CSV they are kept in.

    The CSV has the columns of the corpus and those of `Transcript`; paths are relative to its folder. The YAML beside
    it keeps the corpus' name, so that caches made before go on to count, and its classes. Words that the corpus
    brings along are taken over, and so is what an earlier run wrote, corrections made by hand included.

    Args:
        corpus: the clips
        path: the CSV
        source: what writes the transcripts down now

    Raises:
        UserError: the CSV is of something else
    """

    def __init__(self, corpus: Corpus, path: Path, source: str) -> None:
        self.corpus = corpus
        self.path = path
        self.source = source
        self._rows = {row["name"]: row for row in corpus.table.to_dict("records")}
        given = {name: str(row["text"]) for name, row in self._rows.items() if _has_words(row["text"])}
        self._done = {name: Transcript(text, Status.OK, "", FROM_CORPUS) for name, text in given.items()}
        if path.exists():
            self._done |= self._read()

    def missing(self, *, retry: bool = False) -> list[dict[str, Any]]:
        """Returns the rows of the corpus that have no transcript.

        Args:
            retry: counts those whose transcript failed
        """
        done = {name for name, transcript in self._done.items() if not retry or transcript.text_status == Status.OK}
        return [row for name, row in self._rows.items() if name not in done]

    def add(self, name: str, transcript: Transcript) -> None:
        """Files the transcript of a clip."""
        self._done[name] = transcript

    def count(self) -> Counter[str]:
        """Returns how many clips have each status."""
        return Counter(transcript.text_status.value for transcript in self._done.values())

    def save(self) -> None:
        """Writes what there is, in the order of the corpus, whole or not at all."""
        root, folder = self.corpus.root.resolve(), self.path.parent.resolve()
        rows = []
        for name, row in self._rows.items():
            if name in self._done:
                paths = {column: _relative(row[column], root, folder) for column in ("video", "audio")}
                rows.append(row | paths | self._done[name]._asdict())
        columns = dict.fromkeys((*self.corpus.table.columns, *Transcript._fields))
        table = pd.DataFrame(rows, columns=list(columns))
        with whole_file(self.path) as target:
            table.to_csv(target, index=False, encoding="utf-8", lineterminator="\n")
        self._save_classes()

    def _save_classes(self) -> None:
        path = self.path.with_suffix(".yaml")
        if path.exists():
            return
        low, high = self.corpus.valence
        facts = {"name": self.corpus.name, "emotions": list(self.corpus.emotions), "valence": [low, high]}
        with whole_file(path) as target:
            target.write_text(yaml.safe_dump(facts, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def _read(self) -> dict[str, Transcript]:
        table = read_table(self.path, known=(*COLUMNS, *Transcript._fields), required=("name",))
        remedy = "Name another file, or move this one away."
        if not set(Transcript._fields) <= set(table):
            raise UserError(f"{self.path} exists and holds no transcripts of this command. {remedy}")
        strangers = [name for name in table["name"] if name not in self._rows]
        if strangers:
            raise UserError(
                f"{self.path} holds {len(strangers)} clips that the corpus '{self.corpus.name}' has not, "
                f"'{strangers[0]}' for one. {remedy}"
            )
        found = {}
        for number, row in table.where(table.notna(), "").iterrows():
            if row["text_status"] not in list(Status):
                problem = f"unknown text_status '{row['text_status']}'. {did_you_mean(row['text_status'], Status)}"
                raise bad_row(self.path, number, problem)
            if row["text_source"] not in (self.source, FROM_CORPUS):
                raise UserError(
                    f"{self.path} holds transcripts by '{row['text_source']}', asked for are some by '{self.source}'. "
                    f"{remedy}"
                )
            found[row["name"]] = Transcript(
                row["text"], Status(row["text_status"]), row["text_reason"], row["text_source"]
            )
        return found


def _has_words(cell: object) -> bool:
    return not pd.isna(cell) and bool(str(cell).strip())


def _relative(cell: object, root: Path, folder: Path) -> object:
    return cell if pd.isna(cell) else Path(os.path.relpath(root / str(cell), folder)).as_posix()
