"""Sheets of .xlsx workbooks as rows of text: as much of ECMA-376 as score tables need."""

import re
import zipfile
import zlib
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET  # entities are refused below, before anything is parsed

from robustiqa.core.errors import DatasetLayoutError

MAX_BYTES: Final = 50_000_000  # unpacked, per part; CSIQ's largest is below one megabyte
_FAULTS: Final = (
    zipfile.BadZipFile, zlib.error, ET.ParseError, KeyError, IndexError, ValueError, OSError, EOFError, RuntimeError,
)  # fmt: skip
_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_sheet(path: Path, sheet: str) -> list[dict[str, str]]:
    """Rows of the sheet of that name, each a mapping from column letters to the text of the cells that have any.

    Raises:
        DatasetLayoutError: not a workbook, no such sheet, or parts that unpack to more than ``MAX_BYTES``.
    """
    try:
        with zipfile.ZipFile(path) as book:
            texts = _shared_texts(book)
            rows = _part(book, _sheet_part(book, path, sheet)).iter(f"{_MAIN}row")
            return [dict(_cell(cell, texts) for cell in row.iter(f"{_MAIN}c")) for row in rows]
    except DatasetLayoutError:
        raise
    except _FAULTS as error:
        raise DatasetLayoutError(f"{path} is no readable .xlsx workbook ({type(error).__name__}: {error}).") from error


def _part(book: zipfile.ZipFile, name: str) -> ET.Element:
    if book.getinfo(name).file_size > MAX_BYTES:
        raise DatasetLayoutError(f"{book.filename}: {name} unpacks to more than {MAX_BYTES} bytes.")
    content = book.read(name)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise DatasetLayoutError(f"{book.filename}: {name} declares entities, which no workbook needs.")
    return ET.fromstring(content)  # noqa: S314 (no entities: nothing to expand, nothing to fetch)


def _shared_texts(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    items = _part(book, "xl/sharedStrings.xml").iter(f"{_MAIN}si")
    return ["".join(text.text or "" for text in item.iter(f"{_MAIN}t")) for item in items]


def _sheet_part(book: zipfile.ZipFile, path: Path, sheet: str) -> str:
    links = {entry.get("name"): entry.get(_LINK) for entry in _part(book, "xl/workbook.xml").iter(f"{_MAIN}sheet")}
    if sheet not in links:
        raise DatasetLayoutError(f"{path} has no sheet {sheet!r}; it has {', '.join(map(str, links))}.")
    targets = {link.get("Id"): link.get("Target") or "" for link in _part(book, "xl/_rels/workbook.xml.rels")}
    target = targets[links[sheet]]
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _cell(cell: ET.Element, texts: list[str]) -> tuple[str, str]:
    """Column letters and text of a cell; numbers as the file spells them."""
    column = re.sub(r"\d", "", cell.get("r") or "")
    if cell.get("t") == "inlineStr":
        return column, "".join(text.text or "" for text in cell.iter(f"{_MAIN}t")).strip()
    value = (cell.findtext(f"{_MAIN}v") or "").strip()
    return column, texts[int(value)].strip() if cell.get("t") == "s" else value
