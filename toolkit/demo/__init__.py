"""The making of the demo corpus: drawn talking faces, synthetic voices and bilingual sentences, all from a seed."""
