"""Tables and images that are not what they should be: each has one defined answer, and nothing outside is read."""

import os
import struct
import sys
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from robustiqa.core.errors import DatasetLayoutError, InvalidInput, UnreadableImage
from robustiqa.core.images import read_rgb
from robustiqa.datasets import load_dataset
from tests.datasets.trees import save

HEADER = "reference,distorted,mos\n"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    save(root / "a.png")
    save(root / "b.png")
    save(tmp_path / "secret.png")
    return root


@pytest.mark.parametrize(
    "name", ["../secret.png", "x/../../secret.png", "/etc/passwd", "C:\\x.png", "\\\\host\\x.png", "..\\secret.png", "a\0.png", ""]
)
@pytest.mark.parametrize("column", [0, 1])
def test_names_that_lead_out_are_refused_when_the_table_is_read(folder, name, column):
    """Before any image is opened; the row is named."""
    cells = ["a.png", "b.png", "3"]
    cells[column] = name
    (folder / "t.csv").write_text(HEADER + "a.png,c.png,2\n" + ",".join(cells) + "\n")
    with pytest.raises(DatasetLayoutError, match="data row 2|readable CSV"):
        load_dataset("csv", folder)


def test_links_out_of_the_folder_are_not_followed(folder):
    """Neither for images nor for the table itself."""
    (folder / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "t.csv").write_text(HEADER + "a.png,out.png,3\n")
    data = load_dataset("csv", folder)
    with pytest.raises(DatasetLayoutError, match="leads out"):
        data.images(data.pairs[0])
    (folder / "t.csv").rename(folder.parent / "t.csv")
    (folder / "t.csv").symlink_to(folder.parent / "t.csv")
    with pytest.raises(DatasetLayoutError, match="leads out"):
        load_dataset("csv", folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEADER + "a.png,b.png,3\na.png,b.png,3\n", "data rows 1 and 2"),
        (HEADER + "a.png,b.png,good\n", "'good' is not a number"),
        (HEADER + "a.png,b.png,nan\n", "not finite"),
        (HEADER + "a.png,b.png,1e999\n", "not finite"),
        (HEADER + "a.png,b.png\n", "2 cells"),
        (HEADER, "no rows"),
        ("", "no column"),
        ("reference,image,mos\n", "distorted/dist"),
        (HEADER.replace("\n", ",split\n") + "a.png,b.png,3,training\n", "'training'"),
    ],
)
def test_tables_with_wrong_rows_are_refused(folder, text, words):
    """With the row and what is wrong in it."""
    (folder / "t.csv").write_text(text)
    with pytest.raises(DatasetLayoutError, match=words):
        load_dataset("csv", folder)


def test_a_table_that_is_no_text_is_refused(folder):
    """Latin-1 or binary."""
    (folder / "t.csv").write_bytes(HEADER.encode() + b"caf\xe9.png,b.png,3\n")
    with pytest.raises(DatasetLayoutError, match="UTF-8"):
        load_dataset("csv", folder)


def test_images_of_different_sizes_are_refused_with_both(folder):
    """They cannot be compared, and are never resized in silence."""
    save(folder / "b.png", (9, 6))
    (folder / "t.csv").write_text(HEADER + "a.png,b.png,3\n")
    data = load_dataset("csv", folder)
    with pytest.raises(InvalidInput, match="8x6.*9x6"):
        data.images(data.pairs[0])


def calls_while_loading(folder, rows):
    """Every call, of Python's and of C's functions, that loading a table of so many rows makes, by name."""
    table = "".join(f"ref/{i // 100}.png,dist/{i}.png,{i % 7}.5\n" for i in range(rows))
    (folder / "t.csv").write_text(HEADER + table)
    calls = Counter()

    def count(frame, event, called):
        if event in {"call", "c_call"}:
            calls[frame.f_code.co_name if event == "call" else called.__name__] += 1

    sys.setprofile(count)
    try:
        data = load_dataset("csv", folder)
    finally:
        sys.setprofile(None)
    assert (len(data.pairs), data.pairs[-1].id) == (rows, f"dist/{rows - 1}.png")
    return calls


def test_the_work_of_loading_grows_by_a_few_calls_a_row_and_looks_at_no_file_but_the_table(tmp_path):
    """Linear, and far from a look at each image: 100,000 rows are a fraction of a second (benchmarks/perf/manifest.py)."""
    calls_while_loading(tmp_path, 1)  # imports what is imported once
    few, more, most = (calls_while_loading(tmp_path, rows) for rows in (1000, 2000, 4000))
    first, second = more.total() - few.total(), most.total() - more.total()
    assert second == pytest.approx(2 * first, rel=0.01)
    assert second <= 12 * 2000, (most - more).most_common(8)
    files = ("stat", "lstat", "open", "scandir", "listdir", "readlink")
    assert [few[name] for name in files] == [most[name] for name in files]
    assert few["open"] > 0  # the counter sees files


RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def png16(path, colour_type, channels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + RNG.bytes(7 * channels * 2) for _ in range(5))
    header = struct.pack(">IIBBBBB", 7, 5, 16, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bit_png_is_refused_not_cut_to_8_bits(tmp_path, colour_type, channels):
    """Pillow would drop the lower byte of RGB and clip grey."""
    png16(tmp_path / "x.png", colour_type, channels)
    with pytest.raises(UnreadableImage, match="8 bits"):
        read_rgb(tmp_path / "x.png")


def test_deep_tiff_and_ppm_are_refused_and_8_bit_ones_read(tmp_path):
    """By their headers."""
    Image.fromarray(RNG.integers(0, 65536, (5, 7), dtype=np.uint16)).save(tmp_path / "x.tif")
    Image.fromarray(RNG.random((5, 7)).astype(np.float32)).save(tmp_path / "f.tif")
    (tmp_path / "x.ppm").write_bytes(b"P6 7 5 65535\n" + bytes(210))
    for name in ("x.tif", "f.tif", "x.ppm"):
        with pytest.raises(UnreadableImage, match="8 bits"):
            read_rgb(tmp_path / name)
    for name in ("y.tif", "y.ppm", "y.bmp", "y.webp"):
        Image.fromarray(PICTURE).save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
        assert np.array_equal(read_rgb(tmp_path / name), PICTURE)


def test_colour_spaces_without_srgb_values_are_refused(tmp_path):
    """CMYK needs a profile."""
    Image.fromarray(PICTURE).convert("CMYK").save(tmp_path / "x.jpg")
    with pytest.raises(UnreadableImage, match="CMYK"):
        read_rgb(tmp_path / "x.jpg")


def test_grey_is_three_equal_channels_and_opaque_alpha_is_dropped(tmp_path):
    """Transparency anywhere is refused: nobody knows what is behind."""
    Image.fromarray(PICTURE[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(read_rgb(tmp_path / "grey.png"), np.repeat(PICTURE[..., :1], 3, 2))
    alpha = Image.fromarray(PICTURE).convert("RGBA")
    alpha.save(tmp_path / "opaque.png")
    assert np.array_equal(read_rgb(tmp_path / "opaque.png"), PICTURE)
    alpha.putpixel((3, 2), (1, 2, 3, 254))
    alpha.save(tmp_path / "clear.png")
    with pytest.raises(UnreadableImage, match="transparent"):
        read_rgb(tmp_path / "clear.png")


def test_exif_orientation_is_applied(tmp_path):
    """6 is a quarter turn to the right, for PNG and for JPEG."""
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(PICTURE).save(tmp_path / "x.png", exif=exif)
    assert np.array_equal(read_rgb(tmp_path / "x.png"), np.rot90(PICTURE, -1))
    Image.fromarray(PICTURE).save(tmp_path / "x.jpg", exif=exif)
    assert read_rgb(tmp_path / "x.jpg").shape == (7, 5, 3)


def test_one_pixel_is_read_and_models_with_a_minimum_refuse_it(tmp_path):
    """psnr can score it, ssim says its minimum."""
    from robustiqa.core.images import read_image
    from robustiqa.models import load_model

    save(tmp_path / "x.png", (1, 1))
    pixel = read_image(tmp_path / "x.png")[None]
    assert load_model("psnr").score(pixel, pixel * 0.5).shape == (1,)
    with pytest.raises(InvalidInput, match="minimum"):
        load_model("ssim").score(pixel, pixel)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp", "ppm"])
def test_truncated_files_are_refused(tmp_path, suffix):
    """In every format, wherever they end."""
    file = tmp_path / f"x.{suffix}"
    Image.fromarray(RNG.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file)
    content = file.read_bytes()
    for share in (0.02, 0.3, 0.7):
        file.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UnreadableImage, match=rf"x\.{suffix}"):
            read_rgb(file)


@pytest.mark.parametrize("side", [10_000, 60_000])
@pytest.mark.filterwarnings("ignore:Image size")
def test_decompression_bombs_are_refused_by_their_header(tmp_path, side):
    """A small file that claims to be huge; the pixels are never made."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.raises(UnreadableImage, match=r"x\.png.*pixels"):
        read_rgb(tmp_path / "x.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_not_opened(tmp_path):
    """A pipe would wait for ever."""
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(UnreadableImage, match="no such file"):
        read_rgb(tmp_path / "x.png")
