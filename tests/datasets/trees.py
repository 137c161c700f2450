"""Tiny folders in the official shapes, with genuine names and scores where the score tables are at hand."""

import csv
import zipfile
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image


def save(path, size=(8, 6), value=99):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


def table(shared, name):
    path = shared / "data" / "score_tables" / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def workbook(path, rows, sheet="all_by_image", declaration=""):
    """A workbook as Excel writes it: shared texts, numbers as such, columns from D, a title above the header."""
    texts = sorted({cell for row in rows for cell in row if isinstance(cell, str)})
    lines = []
    for number, row in enumerate(rows, start=4):
        cells = [
            f'<c r="{letter}{number}" t="s"><v>{texts.index(cell)}</v></c>'
            if isinstance(cell, str)
            else f'<c r="{letter}{number}"><v>{cell!r}</v></c>'
            for letter, cell in zip("DEFGHI", row, strict=True)
        ]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("xl/workbook.xml", f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="other" sheetId="1" '
                      f'r:id="rId1"/><sheet name="{sheet}" sheetId="2" r:id="rId2"/></sheets></workbook>')  # fmt: skip
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}"><Relationship Id="rId2" '
                      'Target="worksheets/sheet2.xml"/></Relationships>')  # fmt: skip
        book.writestr("xl/sharedStrings.xml", f"{declaration}<sst {main}>" + "".join(
            f"<si><t>{escape(text)}</t></si>" for text in texts) + "</sst>")  # fmt: skip
        book.writestr("xl/worksheets/sheet2.xml", f"<worksheet {main}><sheetData>{''.join(lines)}</sheetData></worksheet>")


def bapps(root, judgements, kinds=("traditional", "cnn", "superres", "deblur", "color", "frameinterp")):
    """One comparison per judgement in every kind: p0 is equal to the reference, p1 is not."""
    for kind in kinds:
        folder = root / "2afc" / "val" / kind
        (folder / "judge").mkdir(parents=True)
        for number, share in enumerate(judgements):
            for side, value in (("ref", 90), ("p0", 90), ("p1", 120)):
                save(folder / side / f"{number:06d}.png", (16, 16), value)
            np.save(folder / "judge" / f"{number:06d}.npy", np.array([share], np.float32))
    return root


def pieapp(root, rows, scores=(), part="test"):
    """One reference, ref_22.png, with rows (A, B, probabilities...) and (image, dissimilarity)."""
    save(root / "reference_images" / part / "ref_22.png")
    labels = root / "labels" / part
    labels.mkdir(parents=True)
    (root / f"{part}_reference_list.txt").write_text("ref_22.png\n")
    names = "ref. image, distorted image A, distorted image B"
    header = f"{names}, preference for A" if part == "test" else f"{names}, raw preference for A, processed preference for A"
    text = "".join(f"ref_22.png,{','.join(map(str, row))}\n" for row in rows)
    (labels / "ref_22_pairwise_labels.csv").write_text(f"{header}\n{text}")
    text = "".join(f"ref_22.png,{image},{value}\n" for image, value in scores)
    (labels / "ref_22_per_image_score.csv").write_text(f"ref. image, distorted image, score for distorted image\n{text}")
    for number, image in enumerate(sorted({name for row in rows for name in row[:2]} - {"ref_22.png"})):
        save(root / "distorted_images" / part / "ref_22" / image, value=100 + number)
    return root
