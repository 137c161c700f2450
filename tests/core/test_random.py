"""Random streams follow from their names alone."""

import hashlib

import torch
from hypothesis import given
from hypothesis import strategies as st

from robustiqa.core.random import RandomStreams, derive_seed

PARTS = st.tuples(st.integers(), st.text(max_size=5), st.text(max_size=5), st.integers(0, 9))


@given(PARTS, PARTS)
def test_seeds_are_63_bit_and_differ_where_any_part_does(a, b):
    """Equal parts, equal seed; torch takes it as it is."""
    assert 0 <= derive_seed(*a) < 2**63
    assert (derive_seed(*a) == derive_seed(*b)) == (a == b)


def test_seeds_do_not_run_parts_together():
    """Neither at a part's border, nor between a number and its text, nor through the separator."""
    pairs = [(("ab", "c"), ("a", "bc")), ((1,), ("1",)), (("a", "b"), ("a\x1fb",)), (("a", ""), ("a",))]
    for left, right in pairs:
        assert derive_seed(*left) != derive_seed(*right)


def test_seeds_are_the_same_on_every_machine():
    """sha256 of the joined reprs, the first eight bytes, halved; not Python's salted hash."""
    digest = hashlib.sha256(b"0\x1f'pgd'\x1f'x'\x1f0").hexdigest()
    assert derive_seed(0, "pgd", "x", 0) == int(digest[:16], 16) // 2


def test_numbers_depend_on_seed_attack_id_and_restart():
    """Each changes them; together they fix them."""
    x = torch.zeros(1, 3, 4, 4)
    base = RandomStreams(0, "pgd", ("a",))
    others = [RandomStreams(1, "pgd", ("a",)), RandomStreams(0, "apgd", ("a",)), RandomStreams(0, "pgd", ("b",)),
              base.with_restart(1)]  # fmt: skip
    drawn = [streams.uniform_like(x) for streams in (base, *others)]
    assert all(not torch.equal(drawn[i], drawn[j]) for i in range(5) for j in range(i))
    assert torch.equal(base.uniform_like(x), drawn[0])


def test_rows_follow_their_sample_and_not_their_place():
    """The order and the size of the batch are nothing to a row."""
    x = torch.zeros(3, 3, 4, 4)
    abc = RandomStreams(0, "pgd", ("a", "b", "c")).uniform_like(x)
    cab = RandomStreams(0, "pgd", ("c", "a", "b")).uniform_like(x)
    assert torch.equal(cab, abc[[2, 0, 1]])
    assert torch.equal(RandomStreams(0, "pgd", ("b",)).uniform_like(x[:1]), abc[1:2])


def test_a_member_of_an_ensemble_draws_what_it_draws_alone():
    """Its own name and its own first restart."""
    ensemble = RandomStreams(4, "autoattack", ("a", "b"), restart=3)
    assert ensemble.of("square") == RandomStreams(4, "square", ("a", "b"))


def test_generators_are_fresh_each_time_and_uniform_keeps_the_type():
    """U[0, 1) of the tensor's own precision."""
    streams = RandomStreams(0, "pgd", ("a",))
    first, second = (torch.rand(5, generator=streams.generators()[0]) for _ in range(2))
    assert torch.equal(first, second)
    drawn = streams.uniform_like(torch.zeros(1, 3, 50, 50, dtype=torch.float64))
    assert drawn.dtype == torch.float64
    assert 0 <= float(drawn.min()) < 0.01
    assert 0.99 < float(drawn.max()) < 1


def test_global_generator_is_neither_read_nor_written():
    """Its state stays, and its seed is of no effect."""
    streams, x = RandomStreams(0, "pgd", ("a",)), torch.zeros(1, 3, 2, 2)
    drawn = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        drawn.append(streams.uniform_like(x))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*drawn)
