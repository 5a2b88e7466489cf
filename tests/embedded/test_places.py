"""Whatever a person must change is one sentence that says so."""

import socket

import pytest

from gptbuilder.embedded import keys, places
from gptbuilder.embedded.places import CannotStart


def test_a_port_in_use_is_named_with_a_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CannotStart, match=rf"Port {port} on 127.0.0.1 is in use: .* PORT={port + 1} make up"):
            places.require_free_port("127.0.0.1", port)


def test_a_full_disk_is_said_before_anything_is_written(tmp_path):
    with pytest.raises(CannotStart, match=r"The model needs 1000000000.0 GB .* make room"):
        places.require_space(tmp_path, 10**18, "The model")


def test_a_data_folder_that_is_a_file_is_refused(home):
    (home / "file").write_text("")

    with pytest.raises(CannotStart, match=r"cannot be used .* set GPTBUILDER_HOME"):
        places.settle(home / "file")


def test_a_folder_with_other_things_in_it_is_never_opened_to_others(home):
    if not places.is_root():
        pytest.skip("only root drops to other ids")
    (home / "private").mkdir()

    with pytest.raises(CannotStart, match=f"may not enter {home}"):
        places.settle(home)

    assert home.stat().st_mode & 0o077 == 0


def test_secrets_are_made_once_and_only_their_owner_reads_them(home):
    first = keys.secret_key(home), keys.field_keys(home)

    again = keys.secret_key(home), keys.field_keys(home)

    assert first == again
    assert len(first[0]) >= 50
    assert {path.stat().st_mode & 0o777 for path in home.iterdir()} == {0o600}


def test_an_empty_secret_is_refused_rather_than_replaced(home):
    (home / "field_keys").write_text("")

    with pytest.raises(CannotStart, match="field_keys is empty"):
        keys.field_keys(home)
