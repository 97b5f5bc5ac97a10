"""What a script that runs the commands relies on."""

import json

import pytest


@pytest.mark.parametrize("listing", ["agents", "addresses"])
def test_listing_of_an_unknown_agent_says_no(system, listing):
    system.correlator.run(listing, status=(0,))
    assert system.correlator.run(listing, "nobody", status=(1,)) == ""
    printed = system.correlator.run(listing, "--json", "nobody", status=(1,))
    assert json.loads(printed) == []
