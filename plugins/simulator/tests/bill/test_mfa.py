"""Trusted sessions."""

from __future__ import annotations

import pytest


@pytest.fixture
def strict(bill):
    """A client whose service wants a trusted session for everything."""
    bill.switches.mfa_required_for = "everything"
    return bill


def challenge(client, **fields):
    challenge_id = client.ok("POST", "mfa/challenge", {"useBackup": "false"})["challengeId"]
    body = {"challengeId": challenge_id, "token": "123456", "device": "laptop", **fields}
    return client.call("POST", "mfa/challenge/validate", body)


def test_an_untrusted_session_is_bdc_1361(strict):
    assert strict.refused("GET", "vendors")[:2] == (403, "BDC_1361")


def test_the_code_trusts_the_session(strict):
    assert challenge(strict).status_code == 200

    assert strict.call("GET", "vendors").status_code == 200
    assert strict.get("login/session")["mfaBypass"] is True


def test_a_wrong_code_is_refused(strict):
    assert strict.error(challenge(strict, token="000000"))[0] == 400


def test_an_old_code_is_bdc_1356(bill):
    challenge_id = bill.ok("POST", "mfa/challenge", {})["challengeId"]
    bill.advance(minutes=11)
    body = {"challengeId": challenge_id, "token": "123456", "device": "laptop"}

    assert bill.refused("POST", "mfa/challenge/validate", body)[:2] == (400, "BDC_1356")


def test_a_remembered_device_logs_in_trusted_for_30_days(strict):
    remembered = challenge(strict, rememberMe=True).json()["rememberMeId"]

    def trusted(device):
        return strict.log_in(rememberMeId=remembered, device=device).json()["trusted"]

    assert trusted("laptop") is True
    assert trusted("phone") is False
    strict.advance(days=30)
    assert trusted("laptop") is False


def test_a_remembered_login_needs_its_device(anonymous):
    assert anonymous.error(anonymous.log_in(rememberMeId="x"))[2] == "device: must not be null"


def test_step_up_trusts_a_session_by_a_remembered_device(strict):
    remembered = challenge(strict, rememberMe=True).json()["rememberMeId"]
    strict.headers = strict.session()

    answer = strict.ok("POST", "mfa/step-up", {"rememberMeId": remembered, "device": "laptop"})

    assert answer == {"trusted": True}
    assert strict.call("GET", "vendors").status_code == 200


def test_step_up_by_an_unknown_device_is_refused(bill):
    body = {"rememberMeId": "unknown", "device": "laptop"}

    assert bill.refused("POST", "mfa/step-up", body)[1] == "BDC_1361"


def test_a_phone_is_set_up_with_the_code_sent_to_it(bill):
    setup_id = bill.ok("POST", "mfa/setup", {"phone": "+1 408 555 0100", "type": "TEXT"})["setupId"]
    bill.call("POST", "mfa/setup/validate", {"setupId": setup_id, "token": "123456"})

    phones = bill.get("mfa/phones")["results"]

    assert phones == [{"type": "MOBILE", "last4digits": "0100", "primary": True}]


def test_five_text_messages_a_minute(bill):
    for _ in range(5):
        bill.ok("POST", "mfa/challenge", {})

    assert bill.refused("POST", "mfa/challenge", {})[1] == "BDC_1144"
    bill.advance(minutes=1)
    assert bill.call("POST", "mfa/challenge", {}).status_code == 200


def test_a_sync_token_cannot_become_trusted(anonymous):
    headers = anonymous.session(**anonymous.SYNC_TOKEN)

    assert anonymous.refused("POST", "mfa/challenge", {}, headers=headers)[1] == "BDC_1361"
