"""Secrets at rest."""

from __future__ import annotations

import pytest

from gptbuilder.lib import sealing

OLD, NEW = f"1:{'ab' * 32}", f"2:{'cd' * 32}"
HERE = sealing.row_identity("providers.Provider", "prov_1", "sealed_key")
THERE = sealing.row_identity("providers.Provider", "prov_2", "sealed_key")


def test_what_is_sealed_opens_again():
    assert sealing.open_sealed(sealing.seal("sk-钥匙", HERE, [OLD]), HERE, [OLD]) == "sk-钥匙"


def test_a_sealed_text_does_not_show_what_it_holds_and_never_repeats_itself():
    first, second = sealing.seal("sk-secret", HERE, [OLD]), sealing.seal("sk-secret", HERE, [OLD])

    assert "secret" not in first
    assert first != second


def test_a_sealed_text_moved_to_another_row_does_not_open():
    sealed = sealing.seal("sk-secret", HERE, [OLD])

    with pytest.raises(sealing.SealBroken):
        sealing.open_sealed(sealed, THERE, [OLD])


def test_a_changed_text_does_not_open():
    sealed = sealing.seal("sk-secret", HERE, [OLD])
    changed = sealed[:-4] + ("AAAA" if sealed[-4:] != "AAAA" else "BBBB")

    with pytest.raises(sealing.SealBroken):
        sealing.open_sealed(changed, HERE, [OLD])


@pytest.mark.parametrize("text", ["", "sk-plain", "s1.1.", "s1.1.!!!", "s2.1.aaaa"])
def test_what_was_never_sealed_is_refused(text):
    with pytest.raises(sealing.SealBroken):
        sealing.open_sealed(text, HERE, [OLD])


def test_the_first_key_seals_and_every_key_opens():
    before = sealing.seal("sk-secret", HERE, [OLD])
    after = sealing.seal("sk-secret", HERE, [NEW, OLD])

    assert sealing.open_sealed(before, HERE, [NEW, OLD]) == sealing.open_sealed(after, HERE, [NEW]) == "sk-secret"
    assert sealing.resealed(after, HERE, [NEW, OLD]) == after
    assert sealing.open_sealed(sealing.resealed(before, HERE, [NEW, OLD]), HERE, [NEW]) == "sk-secret"


def test_without_the_key_it_is_said_which_one_is_missing():
    sealed = sealing.seal("sk-secret", HERE, [OLD])

    with pytest.raises(sealing.KeyMissing, match="“1”"):
        sealing.open_sealed(sealed, HERE, [NEW])
    with pytest.raises(sealing.KeyMissing, match="FIELD_KEYS is empty"):
        sealing.seal("sk-secret", HERE, [])


def test_another_key_under_the_same_id_opens_nothing():
    sealed = sealing.seal("sk-secret", HERE, [OLD])

    with pytest.raises(sealing.SealBroken):
        sealing.open_sealed(sealed, HERE, [f"1:{'ef' * 32}"])


@pytest.mark.parametrize("keys", [["1:abc"], ["no colon"], [OLD, f"1:{'cd' * 32}"], [f"a b:{'ab' * 32}"]])
def test_a_malformed_key_is_refused_without_being_shown(keys):
    with pytest.raises(sealing.KeyMalformed) as caught:
        sealing.seal("sk-secret", HERE, keys)

    assert not any(key.partition(":")[2] and key.partition(":")[2] in str(caught.value) for key in keys)
