"""Huge pages are an economy: with or without them everything works, and nothing is lost."""

from workers.sandbox.inside import pages


def test_memory_keeps_its_contents():
    block = bytearray(8 << 20)
    block[::4096] = b"\x07" * len(block[::4096])
    before = bytes(block)
    assert pages.collapse() >= 0
    assert block == before


def test_a_kernel_that_refuses_is_no_error(monkeypatch):
    monkeypatch.setattr(pages, "MADV_COLLAPSE", 9999)
    assert pages.collapse() == 0
