"""Images in batches: each is read once while there is room, and no more is kept than that."""

import pytest
import torch

from robustiqa.benchmarks.images import Images
from tests.toys import memory

CPU = torch.device("cpu")
PAIR = 2 * 3 * 16 * 16 * 4  # bytes of two crops of 16 pixels


def read(images, data, crop=16):
    return list(images.batches(data, data.pairs, crop, 3, CPU))


def test_batches_are_what_the_dataset_holds():
    """In its order, in batches of three, cropped."""
    data = memory(8)
    found = read(Images(), data)
    assert [len(batch.pairs) for batch in found] == [3, 3, 2]
    for batch in found:
        for pair, ref, dist in zip(batch.pairs, batch.ref, batch.dist, strict=True):
            expected = (image[:, 4:20, 4:20] for image in data.images(pair))
            assert all(map(torch.equal, (ref, dist), expected))


@pytest.mark.parametrize(("room", "reads"), [(8 * PAIR, 8), (8 * PAIR - 1, 16), (0, 16)])
def test_what_fits_is_read_once(room, reads):
    """A second cell on the same images reads nothing; where one pair too many is asked for, the oldest has gone."""
    data, images = memory(8), Images(room)
    first, second = read(images, data), read(images, data)
    assert len(data.reads) == reads
    assert all(torch.equal(a.dist, b.dist) for a, b in zip(first, second, strict=True))


def test_other_crops_and_other_data_are_other_images():
    """What is kept goes by the data, the pair and the crop."""
    images, data, other = Images(), memory(2), memory(3)
    assert read(images, data)[0].size == (16, 16)
    assert read(images, data, crop=None)[0].size == (24, 24)
    assert len(read(images, other)[0].pairs) == 3
    assert (len(data.reads), len(other.reads)) == (4, 3)
