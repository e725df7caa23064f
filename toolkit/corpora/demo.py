"""A small corpus made on the spot: drawn talking faces with synthetic voices (`toolkit.demo`)."""

from pathlib import Path

import pandas as pd

from toolkit.corpus import Corpus, corpus_from_table, readers
from toolkit.errors import UserError


@readers.add("demo")
def read(path: Path) -> Corpus:
    """Returns the demo corpus in a folder; where there is none, the full one with seed 0 is made there first.

    Besides the usual columns: ``english`` (the transcript in English), ``speaker``, ``snr`` in dB and ``blur`` of the
    noise split, and ``hostile``, which names what is wrong with a clip on purpose.

    Args:
        path: folder; one that `toolkit.demo.make.make_demo` filled is read whatever its scale and seed

    Raises:
        UserError: the folder has other things in it
    """
    from toolkit.demo.make import MARK, TABLE, finish_demo, is_whole, read_facts

    if not is_whole(path):
        if (path / TABLE).exists():
            raise UserError(
                f"{path} has a {TABLE} and no {MARK}, so it is no demo. "
                f"Read your own corpus as folder:{path / TABLE}, or name a new folder for the demo."
            )
        finish_demo(path)
    facts = read_facts(path / MARK)
    try:
        table = pd.read_csv(path / TABLE, dtype={"text": object, "english": object})
    except FileNotFoundError:
        raise UserError(f"{path} has a {MARK} and no {TABLE}. Delete the folder to make the demo anew.") from None
    usual = facts["scale"] == "full" and facts["seed"] == 0
    return corpus_from_table("demo" if usual else f"demo_{facts['scale']}_{facts['seed']}", path, table)
